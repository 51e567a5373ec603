import type { HostOffer } from "../guest-port.ts";
import { QemuError } from "../qemu-error.ts";
import { type CpuDefinition, cpuDefinition, inOrder, isLater } from "./cpu-definition-list.ts";
import { brokenDependencies } from "./feature-dependencies.ts";
import { featureGroups, featuresNamed } from "./feature-names.ts";

/** A model with the features that are on in it, whether or not the host has them. */
export interface CpuModel {
  /** As -cpu names it. */
  readonly name: string;
  readonly definition: CpuDefinition;
  readonly features: ReadonlySet<string>;
}

/** QEMU's names of the machines that a host may be. */
const machineDefinitions: Readonly<Record<string, string>> = { z13: "z13.2", z14: "z14.2", z15: "gen15a", z16: "gen16a", z17: "gen17a" };
const defaultMachine = "z16";

/** The model of the machine that the host is, as QEMU would find it. */
const hostDefinition = ({ machine = defaultMachine }: HostOffer): CpuDefinition =>
  cpuDefinition(machineDefinitions[machine] ?? machineDefinitions[defaultMachine]!)!;

const qemuDefinition = cpuDefinition("gen15a")!;
const offeredFeatures = ["ap", "apqci", "apft", "apqi"] as const;
/** For secure guests, which there are not here. */
const secureFeatures = ["appv", "appvi"];

/** What KVM offers on this host: everything that its machine knows, AP as far as the port offers it. */
export function hostFeatures(offer: HostOffer): ReadonlySet<string> {
  const absent = new Set<string>([...secureFeatures, ...offeredFeatures.filter((feature) => !offer[feature])]);
  return new Set([...hostDefinition(offer).allowed].filter((feature) => !absent.has(feature)));
}

/** The model that a name of -cpu stands for; undefined for a name that QEMU does not know. */
export function namedCpuModel(name: string, offer: HostOffer): CpuModel | undefined {
  if (name === "host" || name === "max") return { name, definition: hostDefinition(offer), features: hostFeatures(offer) };
  if (name === "qemu") return { name, definition: qemuDefinition, features: qemuDefinition.base };
  const isBase = name.endsWith("-base");
  const definition = cpuDefinition(isBase ? name.slice(0, -"-base".length) : name);
  return definition && { name, definition, features: isBase ? definition.base : definition.defaults };
}

export const cpuTypeName = (name: string): string => `${name}-s390x-cpu`;

/** Turns one feature or group on or off. QemuError. */
export function withFeature(model: CpuModel, name: string, isOn: boolean): CpuModel {
  const named = featuresNamed(name);
  if (!named) throw new QemuError(`Property '${cpuTypeName(model.name)}.${name}' not found`);
  if (isOn && named.some((feature) => !model.definition.allowed.has(feature))) {
    const kind = featureGroups.has(name) ? "Group" : "Feature";
    throw new QemuError(
      `${kind} '${name}' is not available for CPU model '${model.definition.name}', it was introduced with later models.`,
    );
  }
  const features = new Set(model.features);
  for (const feature of named) isOn ? features.add(feature) : features.delete(feature);
  return { ...model, features };
}

export const modelWarnings = (model: CpuModel): string[] => brokenDependencies(model.features);

/** QemuError where this host cannot run the model: it is too new, or has features that KVM does not offer. */
export function checkRunnable(model: CpuModel, offer: HostOffer): void {
  const host = hostDefinition(offer);
  if (isLater(model.definition, host)) {
    const level = model.definition.generation > host.generation ? "generation" : "GA level";
    throw new QemuError(`Selected CPU ${level} is too new. Maximum supported model in the configuration: '${host.name}'`);
  }
  const missing = missingFeatures(model, offer);
  if (missing.length === 0) return;
  throw new QemuError(
    `Some features requested in the CPU model are not available in the current configuration: ${missing.join(" ")}  `,
    "GenericError",
    "Consider a different accelerator, QEMU, or kernel version",
  );
}

/** Groups and features that the host lacks, in the order of QEMU's messages: the last one first. */
export function missingFeatures(model: CpuModel, offer: HostOffer): string[] {
  const host = hostFeatures(offer);
  return collapsed(new Set([...model.features].filter((feature) => !host.has(feature)))).reverse();
}

/** Complete groups by their names, then the single features. */
export function collapsed(features: ReadonlySet<string>): string[] {
  const left = new Set(features);
  const groups: string[] = [];
  for (const [group, members] of featureGroups) {
    if (!members.every((member) => left.has(member))) continue;
    groups.push(group);
    for (const member of members) left.delete(member);
  }
  return [...groups, ...inOrder(left)];
}
