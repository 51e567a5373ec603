import * as v from "valibot";
import { apqn, apqnName } from "../ap/apqn.ts";
import { Mask } from "../ap/mask.ts";
import { decodeQueueInfo } from "../ap/queue-info.ts";
import type { ApMasks } from "../kvm/crycb.ts";
import type { ApDriver } from "../linux/bus/ap-driver.ts";
import { isOwnedByHost } from "../linux/bus/host-owned.ts";
import type { MatrixMdev } from "../linux/vfio-ap/matrix-mdev.ts";
import { kindsOf, masterKeyTypes } from "../machine/secrets/master-key.ts";
import { keyRegistersOf } from "../migration/key-patterns.ts";
import {
  type FactsQuestion,
  factsQuestion,
  type KeyRegister,
  type MatrixFacts,
  noMatrix,
  type QueueFacts,
  type SideFacts,
} from "../migration/side-facts.ts";
import { fail } from "../sysfs/errno.ts";
import { absentGuest } from "./absent-guest.ts";
import { offerOf } from "./guest-commands.ts";
import type { Guest, Host } from "./host.ts";
import { shownKey } from "./shown-key.ts";

/** The facts of a host for a migration. Only looks. */
export const factsCommand = v.object({ do: v.literal("migration-facts"), about: factsQuestion });

/** Refusal: no such guest. ENODEV: no such mediated device. */
export function migrationFacts(host: Host, about: FactsQuestion): SideFacts {
  const { guest, mdev, matrix } = subjectOf(host, about);
  const { bus, vfioAp, generation } = host.linux;
  const { machine: _, ...facilities } = offerOf(host);
  return {
    host: host.name,
    kernel: generation.name,
    features: vfioAp ? [...generation.matrixFeatures] : null,
    model: host.model,
    facilities,
    limits: mdev?.limits ?? vfioAp?.limits ?? { adapter: bus.maxAdapter, domain: bus.maxDomain },
    apmask: String(bus.masks.adapters),
    aqmask: String(bus.masks.domains),
    controlDomains: [...bus.configuration.controlDomains],
    mdev: mdev ? mdevFacts(host, mdev) : null,
    neighbours: neighboursOf(host, mdev, matrix),
    queues: matrix.adapters.flatMap((adapter) => matrix.domains.map((domain) => queueFacts(host, mdev, adapter, domain))),
    controlledKeys: matrix.adapters.flatMap((adapter) =>
      matrix.controlDomains
        .filter((domain) => !matrix.domains.includes(domain))
        .flatMap((domain) => {
          const keys = keysOf(host, adapter, domain);
          return keys ? [{ adapter, domain, keys }] : [];
        }),
    ),
    guest: guest ? guestFacts(guest) : null,
  };
}

interface Subject {
  readonly guest: Guest | undefined;
  readonly mdev: MatrixMdev | undefined;
  readonly matrix: MatrixFacts;
}

function subjectOf(host: Host, about: FactsQuestion): Subject {
  const { vfioAp } = host.linux;
  if (about.of === "matrix") {
    const guest = about.guest === null ? undefined : host.guests.get(about.guest);
    return { guest, mdev: about.uuid === null ? undefined : vfioAp?.matrixMdev(about.uuid), matrix: about.matrix };
  }
  const guest = about.of === "guest" ? host.guests.get(about.name) : undefined;
  if (about.of === "guest" && !guest) throw absentGuest(about.name, host.guests.keys());
  const mdev = about.of === "guest" ? guest?.mdev : (vfioAp?.matrixMdev(about.uuid) ?? fail("ENODEV"));
  return { guest, mdev, matrix: mdev ? matrixFacts(mdev.guestMatrix) : noMatrix };
}

const matrixFacts = ({ adapters, usageDomains, controlDomains }: ApMasks): MatrixFacts => ({
  adapters: [...adapters],
  domains: [...usageDomains],
  controlDomains: [...controlDomains],
});

const mdevFacts = (host: Host, { uuid, matrix, guestMatrix, mdev }: MatrixMdev): SideFacts["mdev"] => ({
  uuid,
  matrix: matrixFacts(matrix),
  guestMatrix: matrixFacts(guestMatrix),
  guest: userOf(host, uuid),
  isInUse: mdev.isInUse,
});

const userOf = (host: Host, uuid: string): string | null => [...host.guests.values()].find(({ mdev }) => mdev?.uuid === uuid)?.name ?? null;

function neighboursOf(host: Host, own: MatrixMdev | undefined, { adapters, domains }: MatrixFacts): SideFacts["neighbours"] {
  return (host.linux.vfioAp?.matrixMdevs ?? [])
    .filter((other) => other !== own)
    .map(({ uuid, matrix }) => ({
      ...{ uuid, guest: userOf(host, uuid) },
      adapters: adapters.filter((id) => matrix.adapters.has(id)),
      domains: domains.filter((id) => matrix.usageDomains.has(id)),
    }))
    .filter((shared) => shared.adapters.length > 0 || shared.domains.length > 0);
}

function queueFacts(host: Host, own: MatrixMdev | undefined, adapter: number, domain: number): QueueFacts {
  const { bus, vfioAp } = host.linux;
  const device = bus.queues.get(apqn(adapter, domain));
  const { responseCode, high, low } = bus.instructions.tapq(apqn(adapter, domain));
  const { functions, type } = decodeQueueInfo(high, low);
  return {
    ...{ adapter, domain },
    driver: (device?.driver as ApDriver | undefined)?.name ?? null,
    hasDevice: device !== undefined,
    tapq: { responseCode, functions, type },
    isHostOwned: isOwnedByHost(bus, Mask.of(adapter), Mask.of(domain)),
    owner: vfioAp?.matrixMdevs.find((other) => other !== own && other.has(adapter, domain))?.uuid ?? null,
    keys: keysOf(host, adapter, domain),
  };
}

/** What a recording holds of a queue's keys, else what the card of this machine has. */
function keysOf(host: Host, adapter: number, domain: number): KeyRegister[] | null {
  const profile = host.machine.adapters.get(adapter)?.profile;
  if (!profile) return null;
  const name = apqnName(apqn(adapter, domain));
  const recorded = host.linux.bus.knownTexts.get(`/devices/ap/card${name.slice(0, 2)}/${name}/mkvps`);
  const told = recorded === undefined ? undefined : keyRegistersOf(recorded);
  if (told) return told;
  return kindsOf(profile.mode).flatMap((kind) => {
    const { new: next, current, old } = shownKey(host, { adapter, domain, kind });
    const shown = { NEW: next, CUR: current, OLD: old };
    return (["NEW", "CUR", "OLD"] as const).flatMap((register) => {
      const held = shown[register];
      return held ? [{ key: masterKeyTypes[kind].name, register, ...held }] : [];
    });
  });
}

const guestFacts = ({ name, vm }: Guest): SideFacts["guest"] => {
  const { ap, qci, apft, apqi } = vm.facilities;
  return { name, facilities: { ap, apqci: qci, apft, apqi } };
};
