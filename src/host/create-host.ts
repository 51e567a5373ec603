import { workerEngine } from "../machine/adapter/asymmetric/worker-engine.ts";
import { kindsOf } from "../machine/secrets/master-key.ts";
import { loadTestKey } from "../machine/secrets/test-keys.ts";
import type { CreateModel, ModelEvent, Workers } from "../runtime/model.ts";
import { openAttribute } from "../sysfs/tree.ts";
import type { ApRules } from "./ap-rules.ts";
import { belowSys } from "./below-sys.ts";
import type { HostConfiguration } from "./configuration.ts";
import { type DomainSecrets, domainKeys } from "./domain-secrets.ts";
import { Host } from "./host.ts";
import { startStep } from "./start-step.ts";

/** A host as its configuration says, but for mediated devices and guests, which come when programs can run. Throws an Error that names the step that was refused. */
export const createHost: CreateModel = (configuration, emit, workers) => {
  let isUp = false;
  // What happens before the first program can listen is told to nobody, as on a machine that boots; the log keeps its lines.
  const host = startConfigured(configuration as BootConfiguration, (event) => isUp && emit(event), workers);
  isUp = true;
  return host;
};

/** What a model thread is started with. */
export interface BootConfiguration extends HostConfiguration {
  /** What the host's own udev rules ask for, before the configuration's own masks and modules. */
  readonly rules: ApRules;
  /** Master keys from before. */
  readonly secrets?: readonly DomainSecrets[];
}

function startConfigured(configuration: BootConfiguration, emit: (event: ModelEvent) => unknown, workers: Workers | undefined): Host {
  const { machine, attributes, rules } = configuration;
  const { facilities, qact, rc8a, apsb, maxAdapter, maxDomain, resetMs, announcesChanges } = machine;
  const host = new Host({
    name: configuration.name,
    machine: { facilities, qact, rc8a, apsb, maxAdapter, maxDomain, resetDurationMs: resetMs, announcesChanges },
    model: machine.model,
    kernel: configuration.kernel,
    commandLine: configuration.cmdline,
    ...(configuration.secrets && { keys: configuration.secrets.map(domainKeys) }),
    ...(workers && { engine: workerEngine(workers) }),
    knownTexts: new Map(attributes.map(({ path, text }) => [path.replace(/^\/sys/, ""), text])),
    emit,
  });
  for (const { id, profile, isConfigured, isCheckstopped } of machine.adapters) {
    host.machine.addAdapter(id, profile);
    host.machine.setConfigured(id, isConfigured);
    host.machine.setCheckstop(id, isCheckstopped);
  }
  for (const domain of machine.usageDomains) host.machine.setUsageDomain(domain, true);
  for (const domain of machine.controlDomains) host.machine.setControlDomain(domain, true);
  if (machine.masterKeys === "test") loadMissingTestKeys(host);
  host.linux.boot();
  const write = (path: string, text: string): void => startStep(`write "${text.trim()}" to ${path}`, () => host.writeNow(path, text));
  for (const { apmask, aqmask } of [rules, configuration]) {
    if (apmask !== undefined) write("/sys/bus/ap/apmask", `${apmask}\n`);
    if (aqmask !== undefined) write("/sys/bus/ap/aqmask", `${aqmask}\n`);
  }
  for (const name of [...rules.modules, ...configuration.modules])
    startStep(`load module ${name}`, () => host.finish(host.linux.modprobe(name)));
  while (host.queue.work(Number.POSITIVE_INFINITY));
  for (const { path, text } of attributes) {
    if (isWritable(host, path)) write(path, text);
  }
  return host;
}

/** Where a domain has nothing of a key yet. */
function loadMissingTestKeys({ machine, keys }: Host): void {
  const { usage, control } = machine.domains;
  for (const [adapter, { profile }] of machine.adapters) {
    for (const domain of usage.or(control)) {
      for (const kind of kindsOf(profile.mode)) {
        const { next, current, old } = keys.registers(adapter, domain, kind);
        if (!next && !current && !old) loadTestKey(keys, adapter, domain, kind);
      }
    }
  }
}

function isWritable(host: Host, path: string): boolean {
  try {
    openAttribute(host.linux.root, belowSys(path), "write");
    return true;
  } catch {
    return false;
  }
}
