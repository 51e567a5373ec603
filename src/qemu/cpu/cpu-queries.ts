import type { HostOffer } from "../guest-port.ts";
import { QemuError } from "../qemu-error.ts";
import { type CpuDefinition, cpuDefinitionList, isLater } from "./cpu-definition-list.ts";
import { type CpuModel, collapsed, cpuTypeName, missingFeatures, namedCpuModel, withFeature } from "./cpu-model.ts";

/** A member of what query-cpu-definitions returns. */
export interface CpuDefinitionInfo {
  readonly name: string;
  readonly typename: string;
  readonly "unavailable-features": readonly string[];
  readonly static: boolean;
  readonly "migration-safe": boolean;
  readonly deprecated: boolean;
}

/** CpuModelInfo of QMP. */
export interface CpuModelInfo {
  readonly name: string;
  readonly props?: Readonly<Record<string, unknown>>;
}

export type CpuModelComparison = "incompatible" | "identical" | "superset" | "subset";

/** Features that newer machines are to do without. */
const deprecatedFeatures = ["csske", "bpb", "cte", "te"];

export function cpuDefinitions(offer: HostOffer): CpuDefinitionInfo[] {
  const names = ["host", "max", "qemu", ...cpuDefinitionList.flatMap(({ name }) => [`${name}-base`, name])];
  return names.map((name) => {
    const model = namedCpuModel(name, offer)!;
    const isBase = name.endsWith("-base");
    return {
      name,
      typename: cpuTypeName(name),
      "unavailable-features": unavailable(model, offer),
      static: isBase,
      "migration-safe": name !== "host" && name !== "max",
      deprecated: false,
    };
  });
}

/** query-cpu-model-expansion. QemuError. */
export function expandCpuModel(offer: HostOffer, type: "static" | "full", info: CpuModelInfo) {
  const model = modelOf(info, offer);
  const all = [...deprecatedFeatures].sort();
  return {
    model: type === "static" ? staticInfo(model) : fullInfo(model),
    "deprecated-props": type === "static" ? all.filter((name) => model.features.has(name)) : all,
  };
}

/** query-cpu-model-baseline: the most that both can do. QemuError. */
export function baselineCpuModel(offer: HostOffer, a: CpuModelInfo, b: CpuModelInfo): { readonly model: CpuModelInfo } {
  const [one, other] = [modelOf(a, offer), modelOf(b, offer)];
  const features = new Set([...one.features].filter((name) => other.features.has(name)));
  const older = isLater(one.definition, other.definition) ? other.definition : one.definition;
  return { model: staticInfo({ name: "", definition: lastUpTo(older, features), features }) };
}

/** query-cpu-model-comparison. QemuError. */
export function compareCpuModels(offer: HostOffer, a: CpuModelInfo, b: CpuModelInfo) {
  const [one, other] = [modelOf(a, offer), modelOf(b, offer)];
  const more = difference(one.features, other.features);
  const less = difference(other.features, one.features);
  const isNewer = isLater(one.definition, other.definition);
  const isOlder = isLater(other.definition, one.definition);
  const properties = [...collapsed(new Set([...more, ...less])).reverse(), ...(isNewer || isOlder ? ["type"] : [])];
  return { result: comparison(more.size > 0 || isNewer, less.size > 0 || isOlder), "responsible-properties": properties };
}

function comparison(hasMore: boolean, hasLess: boolean): CpuModelComparison {
  if (hasMore) return hasLess ? "incompatible" : "superset";
  return hasLess ? "subset" : "identical";
}

function modelOf({ name, props = {} }: CpuModelInfo, offer: HostOffer): CpuModel {
  const model = namedCpuModel(name, offer);
  if (!model) throw new QemuError(`The CPU definition '${name}' is unknown.`);
  return Object.entries(props).reduce((current, [feature, value]) => {
    withFeature(current, feature, false);
    if (typeof value !== "boolean") throw new QemuError(`Invalid parameter type for '${feature}', expected: boolean`);
    return withFeature(current, feature, value);
  }, model);
}

function staticInfo({ definition, features }: CpuModel): CpuModelInfo {
  const name = `${definition.name}-base`;
  const props = {
    ...switched(difference(definition.base, features), false),
    ...switched(difference(features, definition.base), true),
  };
  return Object.keys(props).length > 0 ? { name, props } : { name };
}

const fullInfo = ({ definition, features }: CpuModel): CpuModelInfo => ({
  name: `${definition.name}-base`,
  props: switched(features, true),
});

const switched = (features: ReadonlySet<string>, isOn: boolean): Record<string, boolean> =>
  Object.fromEntries(collapsed(features).map((name) => [name, isOn]));

const difference = (one: ReadonlySet<string>, other: ReadonlySet<string>): Set<string> =>
  new Set([...one].filter((name) => !other.has(name)));

/** The last definition before one is reached that is later than `limit`, whose generation it shares. */
function lastUpTo(limit: CpuDefinition, features: ReadonlySet<string>): CpuDefinition {
  const end = cpuDefinitionList.findIndex((definition) => isLater(definition, limit));
  const candidates = end < 0 ? cpuDefinitionList : cpuDefinitionList.slice(0, end);
  const isUsable = ({ base }: CpuDefinition): boolean => [...base].every((name) => features.has(name) || !mustHave.has(name));
  return candidates.filter(isUsable).at(-1) ?? cpuDefinitionList[0]!;
}

/** A guest of a generation without these would not run at all. */
const mustHave: ReadonlySet<string> = new Set(["esan3", "zarch"]);

function unavailable(model: CpuModel, offer: HostOffer): string[] {
  const host = namedCpuModel("host", offer)!;
  const type = isLater(model.definition, host.definition) ? ["type"] : [];
  return [...missingFeatures(model, offer), ...type];
}
