import { deviceFindings } from "./device-rules.ts";
import { type Finding, finding } from "./finding.ts";
import { keyLoadFindings } from "./key-rules.ts";
import type { SideFacts } from "./side-facts.ts";

/**
 * Whether a guest can move, from the facts of both sides alone. Findings come in the order in which they would be met; all are listed, also
 * those that nobody would come to because an earlier one ends the move.
 */
export interface CheckOptions {
  /** A mediated device that is missing at the destination gets made. */
  readonly createsMdev: boolean;
}

export function checkMigration(source: SideFacts, target: SideFacts, { createsMdev }: CheckOptions): Finding[] {
  return [
    ...keyLoadFindings(source, target),
    ...kernelFindings(source, target),
    ...mdevFindings(source, target, createsMdev),
    ...guestFindings(source, target),
    ...(source.mdev ? deviceFindings(source, target) : []),
  ];
}

const migratable = "migratable";

function kernelFindings(source: SideFacts, target: SideFacts): Finding[] {
  if (!source.mdev) return [];
  const sides = [
    ["source-kernel", source],
    ["target-kernel", target],
  ] as const;
  return sides.flatMap(([rule, side]) => {
    if (side.features?.includes(migratable)) return [];
    const texts = [source, target].map(({ kernel, features }) =>
      features === null ? `${kernel}, vfio_ap not loaded` : `${kernel}, ${features.includes(migratable) ? "" : "not "}migratable`,
    );
    const remedy =
      side.features === null
        ? `load it on ${side.host}: modprobe vfio_ap`
        : `run kernel 7.2-migration on ${side.host}, or unplug the device, move the guest, plug it there`;
    return [finding(rule, { subject: side.host, source: texts[0] ?? "", target: texts[1] ?? "", remedy })];
  });
}

function mdevFindings({ mdev, host, guest }: SideFacts, target: SideFacts, createsMdev: boolean): Finding[] {
  if (!mdev) return [];
  const subject = mdev.uuid;
  const source = `of ${mdev.guest ?? guest?.name ?? host}`;
  if (!target.mdev) {
    if (createsMdev) return [];
    const remedy = `make it on ${target.host}: echo ${subject} > /sys/devices/vfio_ap/matrix/mdev_supported_types/vfio_ap-passthrough/create`;
    return [finding("mdev-missing", { subject, source, target: "not there", remedy })];
  }
  if (!target.mdev.isInUse) return [];
  const user = target.mdev.guest;
  const remedy = user === null ? `end what has it open on ${target.host}` : `unplug it from ${user} on ${target.host}, or end that guest`;
  return [finding("mdev-in-use", { subject, source, target: `in use${user === null ? "" : ` by ${user}`}`, remedy })];
}

function guestFindings(source: SideFacts, target: SideFacts): Finding[] {
  const { guest } = source;
  if (!guest) return [];
  const subject = guest.name;
  const taken = target.guest
    ? [
        finding("guest-name", {
          subject,
          source: "runs",
          target: "another guest has the name",
          remedy: `end it on ${target.host}, or give it another name`,
        }),
      ]
    : [];
  const missing = (["ap", "apqci", "apft", "apqi"] as const).filter((name) => guest.facilities[name] && !target.facilities[name]);
  return [
    ...taken,
    ...missing.map((name) =>
      finding("cpu-facility", {
        subject,
        source: `-cpu has ${name}=on`,
        target: `${target.host} has no ${name}`,
        remedy: `start the guest with ${name}=off, or choose a destination that has it`,
      }),
    ),
  ];
}
