import { apqn, apqnName } from "../ap/apqn.ts";
import { bindStateOf, Functions } from "../ap/queue-info.ts";
import { ResponseCode } from "../ap/status.ts";
import { type Finding, finding, type RuleName, typed } from "./finding.ts";
import type { QueueFacts, SideFacts } from "./side-facts.ts";

/** The rules for one queue: the same APQN here and there. Source of order: the draft's check of one queue. */
type Names = Pick<SideFacts, "host">;

/** Bits that must be the same, with their names in the driver's messages. */
const equalBits = [
  { rule: "apsc", bit: Functions.apsc, name: "APSC" },
  { rule: "mex4k", bit: Functions.mex4k, name: "mex4k" },
  { rule: "crt4k", bit: Functions.crt4k, name: "crt4k" },
  { rule: "mode-cca", bit: Functions.cca, name: "Coprocessor-mode" },
  { rule: "mode-accelerator", bit: Functions.accelerator, name: "Accelerator-mode" },
  { rule: "mode-ep11", bit: Functions.ep11, name: "XCP-mode" },
  { rule: "apxa", bit: Functions.apxa, name: "AP-extended-addressing (APXA)" },
  { rule: "filtering", bit: Functions.slcf, name: "Stateless-command-filtering (SLCF)" },
] as const satisfies readonly { readonly rule: RuleName; readonly bit: number; readonly name: string }[];

/** Response codes with which TAPQ still tells what the queue is. */
const informedCodes: ReadonlySet<number> = new Set([
  ResponseCode.normal,
  ResponseCode.resetInProgress,
  ResponseCode.deconfigured,
  ResponseCode.checkstopped,
  ResponseCode.busy,
]);

export const isInformed = ({ tapq }: QueueFacts): boolean => informedCodes.has(tapq.responseCode);

/** TAPQ fails on one side; the other rules of the queue have nothing to compare then. */
export function hwinfoFinding(rule: "source-hwinfo" | "hwinfo", queue: QueueFacts, { host }: Names): Finding[] {
  if (isInformed(queue)) return [];
  const { responseCode } = queue.tapq;
  const answer = `TAPQ answers ${responseCode.toString(16).padStart(2, "0")}`;
  return [
    finding(rule, {
      subject: nameOf(queue),
      source: rule === "source-hwinfo" ? answer : "",
      target: rule === "hwinfo" ? answer : "",
      remedy: `bring the queue back to ${host}: adjunct hw ${host} show lists its adapters and domains`,
      errno: responseCode === ResponseCode.queueNotAvailable ? "ENODEV" : "EIO",
    }),
  ];
}

/** ENODEV: no queue device that is bound to vfio_ap. */
export function bindingFinding(queue: QueueFacts, source: Names, target: Names): Finding[] {
  if (queue.driver === vfioAp) return [];
  const { adapter, domain } = queue;
  const there = queue.hasDevice ? `bound to ${queue.driver ?? "no driver"}` : "no such queue";
  const masks = `echo -${typed(adapter)} > /sys/bus/ap/apmask, or echo -${typed(domain)} > /sys/bus/ap/aqmask`;
  return [
    finding("queue-not-bound", {
      subject: nameOf(queue),
      source: `bound to ${vfioAp}`,
      target: there,
      remedy: queue.hasDevice
        ? `give it to vfio_ap on ${target.host}: ${queue.isHostOwned ? masks : `echo ${nameOf(queue)} > /sys/bus/ap/drivers/vfio_ap/bind`}`
        : `give ${target.host} adapter ${typed(adapter)} and usage domain ${typed(domain)}, or unassign one of them on ${source.host}`,
      errno: "ENODEV",
    }),
  ];
}

const vfioAp = "vfio_ap";

/** EINVAL: what the two queues are. */
export function compatibilityFindings(
  source: QueueFacts,
  target: QueueFacts,
  hosts: { readonly source: Names; readonly target: Names },
): Finding[] {
  const subject = nameOf(source);
  const [from, to] = [source.tapq, target.tapq];
  const incompatible = (rule: RuleName, sourceText: string, targetText: string, remedy: string): Finding =>
    finding(rule, { subject, source: sourceText, target: targetText, remedy, errno: "EINVAL" });
  const findings: Finding[] = [];
  for (const { rule, bit, name } of equalBits) {
    const [has, wants] = [(from.functions & bit) !== 0, (to.functions & bit) !== 0];
    if (has === wants) continue;
    const remedy =
      rule.startsWith("mode") || rule === "apxa"
        ? `put a card of the same mode into adapter ${source.adapter} of ${hosts.target.host}`
        : `put a card with the same facilities into adapter ${source.adapter} of ${hosts.target.host}`;
    findings.push(incompatible(rule, presence(name, has), presence(name, wants), remedy));
  }
  if (from.type > to.type) {
    const remedy = `put a ${typeName(from.type)} or newer into adapter ${source.adapter} of ${hosts.target.host}: a guest moves to the same type or a newer one`;
    findings.push(incompatible("type", typeName(from.type), typeName(to.type), remedy));
  }
  const states = [bindStateOf(from.functions), bindStateOf(to.functions)];
  if (states.some((state) => state !== 0)) {
    const [here, there] = states.map((state) => `bind/associate state ${state}`);
    findings.push(incompatible("bind-state", here ?? "", there ?? "", "unbind the queue from its secure guest: a bound queue cannot move"));
  }
  const isFull = ({ functions }: { readonly functions: number }): boolean => (functions & Functions.classFull) !== 0;
  if (isFull(from) && !isFull(to)) {
    const remedy = `let adapter ${source.adapter} of ${hosts.target.host} do all functions: a guest moves from stateless to full, not back`;
    findings.push(incompatible("class", classText(from.functions), classText(to.functions), remedy));
  }
  return findings;
}

export const nameOf = ({ adapter, domain }: { readonly adapter: number; readonly domain: number }): string =>
  apqnName(apqn(adapter, domain));

const presence = (name: string, has: boolean): string => `${name} ${has ? "installed" : "not installed"}`;

const firstType = 10;
export const typeName = (type: number): string =>
  type >= firstType
    ? `CEX${type - firstType + 4} (0x${type.toString(16).padStart(2, "0")})`
    : `type 0x${type.toString(16).padStart(2, "0")}`;

export function classText(functions: number): string {
  if (functions & Functions.classFull) return "full native card function";
  return functions & Functions.classStateless ? "only stateless functions" : "no class";
}
