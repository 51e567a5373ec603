import { generation } from "../linux/generation.ts";
import { cpuOption } from "../qemu/cpu/cpu-option.ts";
import { QemuError } from "../qemu/qemu-error.ts";
import { describedProfile } from "./adapter-description.ts";
import type { AdapterConfiguration, GuestBoot, HostConfiguration, MachineConfiguration } from "./configuration.ts";
import type { ConfigurationProblem } from "./configuration-file.ts";
import type { ConfigurationInput } from "./configuration-schema.ts";
import { machineModels } from "./machine-model.ts";

/** Ids that can be named without extended addressing (APXA). */
const classicMaxAdapter = 63;
const classicMaxDomain = 15;

/** Fills in what a file leaves out and checks what concerns more than one value. */
export function completeConfiguration(input: ConfigurationInput): {
  configuration: HostConfiguration;
  problems: readonly ConfigurationProblem[];
} {
  const problems: ConfigurationProblem[] = [];
  const machine = completeMachine(input.machine, problems);
  const mdevs = Object.entries(input.mdevs).map(([uuid, matrix]) => ({
    uuid: uuid.toLowerCase(),
    adapters: ascending(matrix.adapters),
    domains: ascending(matrix.domains),
    controlDomains: ascending(matrix["control-domains"]),
  }));
  const guests = Object.entries(input.guests).map(([name, guest]) => ({
    name,
    cpu: guest.cpu,
    ...(guest.mdev === undefined ? {} : { mdev: guest.mdev.toLowerCase() }),
    ...bootOf(guest, name, problems),
  }));
  for (const { name, cpu } of guests) {
    const mistake = cpuMistake(cpu, machine);
    if (mistake === undefined) continue;
    problems.push({
      path: ["guests", name, "cpu"],
      at: "value",
      message: `expected a -cpu option such as host,ap=on, got ${cpu}: ${mistake}`,
    });
  }
  const users = new Map<string, string>();
  for (const { name, mdev } of guests) {
    if (mdev === undefined) continue;
    const path = ["guests", name, "mdev"];
    if (!mdevs.some(({ uuid }) => uuid === mdev))
      problems.push({ path, at: "value", message: `expected one of the mdevs of this file, got ${mdev}` });
    const user = users.get(mdev);
    if (user) problems.push({ path, at: "value", message: `expected a mediated device of its own, got the one of ${user}` });
    users.set(mdev, name);
  }
  if (mdevs.length > 0 && !input.modules.includes("vfio_ap")) {
    problems.push({ path: ["modules"], at: "value", message: "expected vfio_ap among the modules, since the file has mdevs" });
  }
  const attributes = Object.entries(input.attributes).flatMap(([path, texts]) =>
    [texts].flat().map((text) => ({ path, text: text.endsWith("\n") ? text : `${text}\n` })),
  );
  const { name, kernel, cmdline, modules, apmask, aqmask } = input;
  return {
    problems,
    configuration: {
      name,
      kernel: generation(kernel).name,
      cmdline,
      modules,
      machine,
      ...(apmask === undefined ? {} : { apmask }),
      ...(aqmask === undefined ? {} : { aqmask }),
      attributes,
      mdevs,
      guests,
    },
  };
}

const defaultMemoryMib = 512;
/** Keys of a guest that only say how to boot what another one names. */
const bootDetails = ["initrd", "append", "memory", "cpus"] as const;

/** Nothing for a model guest. */
function bootOf(guest: ConfigurationInput["guests"][string], name: string, problems: ConfigurationProblem[]): { boot?: GuestBoot } {
  const { linux, kernel, initrd, append, disk, memory = defaultMemoryMib, cpus = 1 } = guest;
  if (linux === undefined && kernel === undefined && disk === undefined) {
    for (const key of bootDetails) {
      if (guest[key] === undefined) continue;
      problems.push({
        path: ["guests", name, key],
        at: "key",
        message: "expected with linux, kernel or disk only: a model guest has none",
      });
    }
    return {};
  }
  const files = Object.entries({ kernel, initrd, disk }).flatMap(([key, path]) => (path === undefined ? [] : [[key, path]]));
  return {
    boot: {
      ...Object.fromEntries(files),
      ...(linux !== undefined && { linux }),
      ...(append !== undefined && { append }),
      memoryMib: memory,
      cpus,
    },
  };
}

/** What QEMU would say of a -cpu option. */
function cpuMistake(text: string, { facilities: { ap, qci, apft, apqi }, model }: MachineConfiguration): string | undefined {
  try {
    cpuOption(text, { ap, apqci: qci, apft, apqi, machine: model });
    return undefined;
  } catch (error) {
    if (error instanceof QemuError) return error.message;
    throw error;
  }
}

function completeMachine(input: ConfigurationInput["machine"], problems: ConfigurationProblem[]): MachineConfiguration {
  const model = machineModels[input.model];
  const has = (name: NonNullable<typeof input.facilities>[number]): boolean =>
    input.facilities ? input.facilities.includes(name) : !["qact", "rc8a", "apsb"].includes(name);
  const apxa = has("apxa");
  const maxAdapter = input["max-adapter"] ?? (apxa ? model.maxAdapter : Math.min(model.maxAdapter, classicMaxAdapter));
  const maxDomain = input["max-domain"] ?? (apxa ? model.maxDomain : Math.min(model.maxDomain, classicMaxDomain));
  const adapters: AdapterConfiguration[] = [];
  for (const [key, { configured, checkstop, ...description }] of Object.entries(input.adapters)) {
    const id = Number(key);
    const path = ["machine", "adapters", key];
    const profile = describedProfile({
      ...description,
      rawType: description["raw-type"],
      messageLimit: description["message-limit"],
      maxDomain: description["max-domain"],
    });
    if (!profile) continue;
    if (id > maxAdapter) problems.push({ path, at: "key", message: `expected at most ${maxAdapter} (max-adapter), got ${id}` });
    if (adapters.some((other) => other.id === id)) problems.push({ path, at: "key", message: `adapter ${id} is there twice` });
    adapters.push({ id, profile, isConfigured: configured ?? true, isCheckstopped: checkstop ?? false });
  }
  const usageDomains = ascending(input["usage-domains"] ?? []);
  // The HMC takes a usage domain only together with its control domain.
  const controlDomains = ascending(input["control-domains"] ?? usageDomains);
  for (const key of ["usage-domains", "control-domains"] as const) {
    for (const [index, domain] of (input[key] ?? []).entries()) {
      if (domain <= maxDomain) continue;
      problems.push({ path: ["machine", key, index], at: "value", message: `expected at most ${maxDomain} (max-domain), got ${domain}` });
    }
  }
  return {
    model: input.model,
    facilities: { ap: has("ap"), qci: has("qci"), apft: has("apft"), apqi: has("apqi"), apxa },
    qact: has("qact"),
    rc8a: has("rc8a"),
    apsb: has("apsb"),
    maxAdapter,
    maxDomain,
    announcesChanges: input["announces-changes"],
    resetMs: input["reset-ms"],
    masterKeys: input["master-keys"],
    adapters: adapters.sort((left, right) => left.id - right.id),
    usageDomains,
    controlDomains,
  };
}

const ascending = (numbers: readonly number[]): number[] => [...new Set(numbers)].sort((left, right) => left - right);
