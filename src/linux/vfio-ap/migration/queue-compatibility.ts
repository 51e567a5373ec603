import { type Apqn, apqnName } from "../../../ap/apqn.ts";
import { bindStateOf, Functions, type QueueInfo } from "../../../ap/queue-info.ts";
import type { CallSite } from "../../rate-limited-log.ts";

/**
 * Whether a queue here can stand in for the one of the same number at the source, and the lines that say why not. Source:
 * vfio_ap_migration.c of the migration series of 2026, queue_hardware_info_is_compatible and the report functions.
 */
export interface Line {
  readonly site: CallSite;
  readonly text: string;
}

/** Nothing where they are compatible; `source` and `target`: the functions word and the type that TAPQ gives. */
export function incompatibilities(queue: Apqn, source: QueueInfo, target: QueueInfo): Line[] {
  const name = apqnName(queue);
  const reasons = [
    ...facilities.flatMap((facility) => facilityLines(facility, name, source, target)),
    ...typeLines(source, target),
    ...bindStateLines(name, source, target),
    ...classLines(name, source, target),
  ];
  if (reasons.length === 0) return [];
  return [{ site: failed, text: `Migration failed: Source and target queue (${name}) not compatible` }, ...reasons];
}

const failed: CallSite = { caller: "report_qinfo_incompatibilities" };

/** Must be the same on both sides; in the order in which they are reported. */
const facilities = [
  facility(Functions.apsc, "report_facilities_compatibility", "APSC facility", "installed"),
  facility(Functions.mex4k, "report_facilities_compatibility", "mex4k facility", "installed"),
  facility(Functions.crt4k, "report_facilities_compatibility", "crt4k facility", "installed"),
  facility(Functions.cca, "report_mode_compatibility", "Coprocessor-mode facility", "installed"),
  facility(Functions.accelerator, "report_mode_compatibility", "Accelerator-mode facility", "installed"),
  facility(Functions.ep11, "report_mode_compatibility", "XCP-mode facility", "installed"),
  facility(Functions.apxa, "report_apxa_compatibility", "AP-extended-addressing (APXA) facility", "installed"),
  facility(Functions.slcf, "report_slcf_compatibility", "Stateless-command-filtering (SLCF)", "available"),
];

interface Facility {
  readonly bit: number;
  readonly name: string;
  readonly participle: "installed" | "available";
  /** Four places in the source: which side lacks it, and which side the line is of. */
  readonly sites: Readonly<Record<"onlySource" | "onlyTarget", readonly [source: CallSite, target: CallSite]>>;
}

function facility(bit: number, caller: string, name: string, participle: Facility["participle"]): Facility {
  return { bit, name, participle, sites: { onlySource: [{ caller }, { caller }], onlyTarget: [{ caller }, { caller }] } };
}

function facilityLines({ bit, name, participle, sites }: Facility, queue: string, source: QueueInfo, target: QueueInfo): Line[] {
  const sourceHas = (source.functions & bit) !== 0;
  const targetHas = (target.functions & bit) !== 0;
  if (sourceHas === targetHas) return [];
  const [atSource, atTarget] = sourceHas ? sites.onlySource : sites.onlyTarget;
  const state = (has: boolean): string => (has ? participle : `not ${participle}`);
  return [
    { site: atSource, text: `${name} ${state(sourceHas)} in source queue ${queue}` },
    { site: atTarget, text: `${name} ${state(targetHas)} in target queue ${queue}` },
  ];
}

const types: CallSite = { caller: "report_aptype_compatibility" };

function typeLines(source: QueueInfo, target: QueueInfo): Line[] {
  if (source.type <= target.type) return [];
  return [{ site: types, text: `AP type of source (${hexByte(source.type)}) not compatible with target (${hexByte(target.type)})` }];
}

const bindStates: CallSite = { caller: "report_bs_compatibility" };

function bindStateLines(queue: string, source: QueueInfo, target: QueueInfo): Line[] {
  const ofSource = bindStateOf(source.functions);
  const ofTarget = bindStateOf(target.functions);
  if (ofSource === 0 && ofTarget === 0) return [];
  return [{ site: bindStates, text: `Bind/associate state for source (${ofSource}) and target (${ofTarget}) queue ${queue} must be 0` }];
}

const nativeSource: CallSite = { caller: "report_class_compatibility" };
const statelessTarget: CallSite = { caller: "report_class_compatibility" };

/** Full function can do what a stateless queue does, not the other way round. */
function classLines(queue: string, source: QueueInfo, target: QueueInfo): Line[] {
  if ((source.functions & Functions.classFull) === 0 || (target.functions & Functions.classFull) !== 0) return [];
  return [
    { site: nativeSource, text: `Full native card function available on source queue ${queue}` },
    { site: statelessTarget, text: `Only stateless functions available on target queue ${queue}` },
  ];
}

const hexByte = (number: number): string => number.toString(16).padStart(2, "0");
