import { modeOf } from "../ap/queue-info.ts";
import { type Finding, isPossible } from "../migration/finding.ts";
import { isInformed, nameOf, typeName } from "../migration/queue-rules.ts";
import type { QueueFacts, SideFacts } from "../migration/side-facts.ts";
import { table } from "./table.ts";

/** A check for people: what is on each side, a line a queue, and what stands against it with what to do. */
export interface MigrationCheck {
  readonly isPossible: boolean;
  readonly findings: readonly Finding[];
  readonly source: SideFacts;
  readonly target: SideFacts;
}

export const migrationCheck = (source: SideFacts, target: SideFacts, findings: readonly Finding[]): MigrationCheck => ({
  ...{ isPossible: isPossible(findings), findings },
  ...{ source, target },
});

export function checkLines(check: MigrationCheck): string[] {
  const { source, target, findings } = check;
  const lines = [heading(source, target), ...queueLines(check), ...neighbourLines(source), ...neighbourLines(target)];
  return [...lines, "", ...findingLines(findings), verdict(check)];
}

/** Each finding with its remedy below it. */
export function findingLines(findings: readonly Finding[]): string[] {
  return findings.flatMap(({ severity, rule, subject, source, target, remedy }) => {
    const sides = [source, target].filter((text) => text !== "").join(" -> ");
    return [`${severity === "blocks" ? "blocks" : "warns "}  ${rule}  ${subject}: ${sides}`, `        ${remedy}`];
  });
}

function heading(source: SideFacts, target: SideFacts): string {
  const what = [source.guest?.name ?? source.mdev?.guest, source.mdev?.uuid].filter((word) => word != null).join(", ");
  const kernels = `kernel ${source.kernel} -> ${target.kernel}`;
  const domains = source.mdev?.guestMatrix.controlDomains.length ?? 0;
  return `${what}: ${source.host} -> ${target.host}; ${counted(source.queues.length, "queue")}, ${counted(domains, "control domain")}; ${kernels}`;
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? "" : "s"}`;

function queueLines({ source, target, findings }: MigrationCheck): string[] {
  if (source.queues.length === 0) return [];
  const there = new Map(target.queues.map((queue) => [nameOf(queue), queue]));
  const blocked = new Map<string, string[]>();
  for (const { severity, subject, rule } of findings)
    if (severity === "blocks") blocked.set(subject, [...(blocked.get(subject) ?? []), rule]);
  const rows = source.queues.map((queue) => {
    const name = nameOf(queue);
    return [name, queueText(queue), queueText(there.get(name)), blocked.get(name)?.join(", ") ?? "ok"];
  });
  return table(["QUEUE", source.host, target.host, "RESULT"], rows);
}

/** `CEX5 (0x0b) cca 0x92800000 vfio_ap` */
function queueText(queue: QueueFacts | undefined): string {
  if (!queue || (!queue.hasDevice && !isInformed(queue))) return "-";
  const { functions, type } = queue.tapq;
  const hardware = isInformed(queue)
    ? [typeName(type), modeOf(functions) ?? "no mode", `0x${functions.toString(16).padStart(8, "0")}`]
    : ["gone"];
  return [...hardware, queue.driver ?? "no driver"].join(" ");
}

const neighbourLines = ({ host, neighbours }: SideFacts): string[] =>
  neighbours.map(({ uuid, guest, adapters, domains }) => {
    const shared = [...adapters.map((id) => `adapter ${hex(id, 2)}`), ...domains.map((id) => `domain ${hex(id, 4)}`)].join(", ");
    return `${host}: ${uuid}${guest === null ? "" : ` of ${guest}`} has ${shared}, too`;
  });

const hex = (number: number, digits: number): string => number.toString(16).padStart(digits, "0");

function verdict({ isPossible: canMove, findings }: MigrationCheck): string {
  const count = (severity: Finding["severity"]): number => findings.filter((each) => each.severity === severity).length;
  const [blocks, warns] = [count("blocks"), count("warns")];
  const warnings = warns === 0 ? "" : `, with ${counted(warns, "warning")}`;
  return canMove
    ? `the guest can move${warnings}`
    : `the guest cannot move: ${counted(blocks, "finding")} block${blocks === 1 ? "s" : ""} it${warnings}`;
}
