import { apqnName } from "../../src/ap/apqn.ts";
import { Host } from "../../src/host/host.ts";
import type { Uevent } from "../../src/linux/driver-core/uevents.ts";
import type { GenerationName } from "../../src/linux/generation.ts";
import type { Job } from "../../src/linux/time/work-queue.ts";
import { matrixText } from "../../src/linux/vfio-ap/matrix-text.ts";
import type { AdapterProcessor } from "../../src/machine/adapter/processor.ts";
import { type AdapterProfile, adapterProfileByName } from "../../src/machine/adapter-profile.ts";
import { fullMachine, type MachineProfile } from "../../src/machine/lpar.ts";
import { Errno, type ErrnoName } from "../../src/sysfs/errno.ts";
import { Wait } from "../../src/sysfs/wait.ts";

/**
 * A host in process for tests: hardware by names, files by paths, time by hand. Every operation answers with a value: `done`, the
 * name of an errno, or `blocked` for what has not ended when nothing is left to do.
 */
export interface TestHostOptions {
  readonly kernel?: GenerationName;
  readonly cmdline?: string;
  /** Adapters by number: `CEX7C` and the like, or a profile. */
  readonly adapters?: Readonly<Record<number, string | AdapterProfile>>;
  readonly usage?: readonly number[];
  readonly control?: readonly number[];
  readonly machine?: Partial<MachineProfile>;
  readonly processor?: AdapterProcessor;
  readonly knownTexts?: ReadonlyMap<string, string>;
  /** Loaded after the first scan. */
  readonly modules?: readonly string[];
}

export const matrix = "/sys/devices/vfio_ap/matrix";
export const createFile = `${matrix}/mdev_supported_types/vfio_ap-passthrough/create`;
export const uuids = [
  "62177883-f1bb-47f0-914d-32a22e3a8804",
  "cef03c3c-903d-4ecc-9a83-40694cb8aee4",
  "aaaaaaaa-0000-4000-8000-000000000003",
] as const;

export class TestHost {
  readonly host: Host;
  readonly #uevents: Uevent[] = [];
  readonly #resets: string[] = [];
  /** What was told until the modules were loaded, and logged. */
  readonly bootUevents: readonly string[];
  readonly bootLog: readonly string[];
  #logged = 0;

  constructor(options: TestHostOptions = {}) {
    this.host = new Host({
      name: "test",
      machine: { ...fullMachine, ...options.machine },
      kernel: options.kernel ?? "7.2",
      commandLine: options.cmdline ?? "",
      ...(options.processor && { processor: options.processor }),
      ...(options.knownTexts && { knownTexts: options.knownTexts }),
      emit: (event) => {
        if (event.type === "uevent") this.#uevents.push(event as unknown as Uevent);
      },
    });
    const { machine, linux } = this.host;
    for (const [id, name] of Object.entries(options.adapters ?? {})) machine.addAdapter(Number(id), profileOf(name));
    for (const domain of options.usage ?? []) machine.setUsageDomain(domain, true);
    for (const domain of options.control ?? []) machine.setControlDomain(domain, true);
    machine.observeResets((name, queue) => this.#resets.push(`${name} ${apqnName(queue)}`));
    linux.boot();
    this.host.settle();
    for (const name of options.modules ?? ["vfio_ap"]) this.host.finish(linux.modprobe(name));
    this.host.settle();
    this.bootUevents = this.ueventTexts();
    this.bootLog = this.log();
    this.forget();
  }

  // Files.

  read(path: string): string {
    const text = this.host.read(path);
    return text instanceof Wait ? this.ended(text, path) : text;
  }

  /** What a Wait ends with when all has happened that happens by itself. */
  ended<T>(wait: Wait<T>, what: string): T {
    this.host.settle();
    const { outcome } = wait;
    if (!outcome) throw new Error(`${what} did not end`);
    if ("error" in outcome) throw outcome.error;
    return outcome.value;
  }

  /** Runs a job of the host's Linux: its result or the name of its errno; `blocked` while it has none. */
  runJob<T>(job: Job<T>): T | ErrnoName | "blocked" {
    try {
      const result = this.host.queue.run(job);
      if (!(result instanceof Wait)) return result;
      this.host.settle();
      return result.outcome ? this.ended(result, "a job") : "blocked";
    } catch (error) {
      if (error instanceof Errno) return error.code;
      throw error;
    }
  }

  /** What a read ends with: its text or the name of an errno. */
  tryRead(path: string): string {
    return outcome(() => this.read(path));
  }

  write(path: string, text: string): string {
    return this.run(() => this.host.write(path, text));
  }

  /** Starts a write that the kernel would sleep in. */
  writeLater(path: string, text: string): Wait<void> {
    const wait = this.host.write(path, text);
    if (!(wait instanceof Wait)) throw new Error(`${path} did not block`);
    return wait;
  }

  /** Entries with mode and target. */
  entries(path: string): string[] {
    return this.host.list(path);
  }

  /** Names alone. */
  names(path: string): string[] {
    return this.entries(path).map((entry) => entry.split(" ", 1)[0] ?? "");
  }

  exists(path: string): boolean {
    return this.tryRead(path) !== "ENOENT";
  }

  /** Names of the queues that a driver has. */
  boundTo(driver: string): string[] {
    return this.names(`/sys/bus/ap/drivers/${driver}`).filter((name) => /^[0-9a-f]{2}\.|^card/.test(name));
  }

  // What happened since the last call.

  log(): string[] {
    const lines = this.host.linux.log.since(this.#logged).map(({ level, text }) => `<${level}>${text}`);
    this.#logged = this.host.linux.log.nextSequence;
    return lines;
  }

  /** `ZAPQ 05.0004` and so on, in order. */
  resets(): string[] {
    return this.#resets.splice(0);
  }

  uevents(): Uevent[] {
    return this.#uevents.splice(0);
  }

  /** `change /devices/ap INITSCAN=done`: action, path and the keys that are not the core's. */
  ueventTexts(): string[] {
    return this.uevents().map(({ action, devpath, properties }) =>
      [action, devpath, ...properties.filter(([key]) => !coreKeys.includes(key)).map(([key, value]) => `${key}=${value}`)].join(" "),
    );
  }

  forget(): void {
    this.log();
    this.resets();
    this.uevents();
  }

  // Hardware and time.

  hardware(change: (machine: Host["machine"]) => void): void {
    change(this.host.machine);
    this.host.settle();
  }

  addAdapter(id: number, name: string): void {
    this.hardware((machine) => machine.addAdapter(id, profileOf(name)));
  }

  /** Lets time pass; every timer fires when it is due. */
  advance(ms: number): void {
    const { host } = this;
    const end = host.timers.nowMs + ms;
    for (;;) {
      while (host.work(Number.POSITIVE_INFINITY));
      const next = host.nextTimerMs;
      if (next === undefined || next > end) break;
      host.tick(next);
    }
    host.tick(end);
  }

  // Mediated devices and guests.

  createMdev(
    uuid: string,
    assigned: { readonly adapters?: readonly number[]; readonly domains?: readonly number[]; readonly control?: readonly number[] } = {},
  ): string {
    const answers = [this.write(createFile, `${uuid}\n`)];
    for (const id of assigned.adapters ?? []) answers.push(this.assign(uuid, "adapter", id));
    for (const id of assigned.domains ?? []) answers.push(this.assign(uuid, "domain", id));
    for (const id of assigned.control ?? []) answers.push(this.assign(uuid, "control_domain", id));
    return answers.find((answer) => answer !== "done") ?? "done";
  }

  assign(uuid: string, what: "adapter" | "domain" | "control_domain", id: number | string): string {
    return this.write(`${matrix}/${uuid}/assign_${what}`, `${id}\n`);
  }

  unassign(uuid: string, what: "adapter" | "domain" | "control_domain", id: number | string): string {
    return this.write(`${matrix}/${uuid}/unassign_${what}`, `${id}\n`);
  }

  matrix(uuid: string): string[] {
    return lines(this.read(`${matrix}/${uuid}/matrix`));
  }

  guestMatrix(uuid: string): string[] {
    return lines(this.read(`${matrix}/${uuid}/guest_matrix`));
  }

  /** Makes a virtual machine and gives it the device. */
  startGuest(name: string, uuid: string): string {
    const guest = this.host.guests.get(name) ?? this.host.createVirtualMachine(name);
    return this.run(() => this.host.openMdev(guest, uuid));
  }

  stopGuest(name: string): string {
    return this.run(() => this.host.closeMdev(this.guest(name)));
  }

  /** What the control block of a guest lets it reach, as `guest_matrix` would print it. */
  apcb(name: string): string[] {
    const { adapters, usageDomains } = this.guest(name).vm.masks;
    return lines(matrixText(adapters, usageDomains));
  }

  adm(name: string): number[] {
    return [...this.guest(name).vm.masks.controlDomains];
  }

  guest(name: string) {
    const guest = this.host.guests.get(name);
    if (!guest) throw new Error(`no guest ${name}`);
    return guest;
  }

  modprobe(name: string): string {
    return this.run(() => this.host.linux.modprobe(name));
  }

  rmmod(name: string): string {
    return this.run(() => this.host.linux.rmmod(name));
  }

  /** Runs an operation and all that follows from it. */
  run(act: () => unknown): string {
    return outcome(() => {
      const result = act();
      this.host.settle();
      if (!(result instanceof Wait)) return "done";
      const end = (result as Wait<unknown>).outcome;
      if (!end) return "blocked";
      if ("error" in end) throw end.error;
      return "done";
    });
  }
}

const coreKeys = ["ACTION", "DEVPATH", "SUBSYSTEM", "SEQNUM"];

function profileOf(adapter: string | AdapterProfile): AdapterProfile {
  const profile = typeof adapter === "string" ? adapterProfileByName(adapter) : adapter;
  if (!profile) throw new Error(`no adapter ${adapter}`);
  return profile;
}

/** The result, or the name of the errno that came instead. */
export function outcome(act: () => string): string {
  try {
    return act();
  } catch (error) {
    if (error instanceof Errno) return error.code;
    throw error;
  }
}

export const lines = (text: string): string[] => text.split("\n").slice(0, -1);

/** The machine of the documents' example. */
export const exampleMachine: TestHostOptions = {
  adapters: { 5: "CEX5C", 6: "CEX5A" },
  usage: [4, 0x47, 0xab, 0xff],
  control: [4, 0x47, 0xab, 0xff],
};

/** The example with its queues given to vfio_ap. */
export function exampleHost(kernel: GenerationName, options: TestHostOptions = {}): TestHost {
  const host = new TestHost({ ...exampleMachine, ...options, kernel });
  host.write("/sys/bus/ap/apmask", "-5,-6\n");
  host.write("/sys/bus/ap/aqmask", "-4,-0x47,-0xab,-0xff\n");
  host.forget();
  return host;
}
