import { apqnName } from "../ap/apqn.ts";
import { Functions, type Mode } from "../ap/queue-info.ts";
import { silentProcessor } from "../machine/adapter/processor.ts";
import type { AdapterProfile } from "../machine/adapter-profile.ts";
import { fullMachine } from "../machine/lpar.ts";
import { Errno, fail } from "../sysfs/errno.ts";
import { Wait } from "../sysfs/wait.ts";
import { Host } from "./host.ts";
import type { HardwareLine, ReplayTarget, TraceStart } from "./replay.ts";

/**
 * The machine behind the recorded traces, and a host on it in process. It reaches the machine as the HMC and the instructions do.
 */
export function makeTraceHost({ kernel, cmdline }: TraceStart): Host {
  const host = new Host({
    name: "trace",
    machine: { ...fullMachine, announcesChanges: false },
    processor: silentProcessor,
    kernel,
    commandLine: cmdline,
    isBuiltIn: true,
  });
  host.linux.boot();
  host.settle();
  return host;
}

const modeBits: Record<Mode, number> = { accelerator: Functions.accelerator, cca: Functions.cca, ep11: Functions.ep11 };

/** TAPQ of that machine: APSC, 4096-bit ME and CRT, APXA, full native function, depth field 7, message limit 12 from type 14 on. */
const traceProfile = (type: number, mode: Mode): AdapterProfile => ({
  type,
  mode,
  functions: (Functions.apsc | Functions.mex4k | Functions.crt4k | Functions.apxa | Functions.classFull | modeBits[mode]) >>> 0,
  depth: 8,
  messageLimit: type >= 14 ? 12 : 0,
  maxDomain: 255,
});

export function changeTraceHardware({ machine }: Host, line: HardwareLine): void {
  switch (line.hw) {
    case "card":
      return machine.addAdapter(line.id, traceProfile(line.type, line.mode));
    case "remove-card":
      return machine.removeAdapter(line.id);
    case "config":
      return machine.setConfigured(line.id, line.on);
    case "checkstop":
      return machine.setCheckstop(line.id, line.on);
    case "usage-domain":
      return machine.setUsageDomain(line.id, line.on);
    case "control-domain":
      return machine.setControlDomain(line.id, line.on);
  }
}

/** Kernel log lines as /dev/kmsg shows them, and the queues that were zeroized, since the last `take`. */
export class TraceLog {
  #zapq: string[] = [];
  #next: number;

  constructor(readonly host: Host) {
    this.#next = host.linux.log.nextSequence;
    host.machine.observeResets((name, queue) => {
      if (name === "ZAPQ") this.#zapq.push(apqnName(queue));
    });
  }

  take(): { kmsg: string[]; zapq: string[] } {
    const kmsg = this.host.linux.log.since(this.#next).map(({ level, text }) => `<${level}>${text}`);
    this.#next = this.host.linux.log.nextSequence;
    const zapq = this.#zapq;
    this.#zapq = [];
    return { kmsg, zapq };
  }
}

export async function inProcessTarget(start: TraceStart): Promise<ReplayTarget> {
  const host = makeTraceHost(start);
  const log = new TraceLog(host);
  const guest = (vm: number) => host.guests.get(String(vm)) ?? fail("ENODEV");
  return {
    hardware: async (line) => changeTraceHardware(host, line),
    read: async (path) => outcomeOf(host, host.read(path)),
    write: async (path, data) => outcomeOf(host, host.write(path, data)),
    list: async (path) => host.list(path),
    createVm: async (vm) => {
      host.createVirtualMachine(String(vm));
    },
    open: async (vm, mdev) => outcomeOf(host, host.openMdev(guest(vm), mdev)),
    close: async (vm) => outcomeOf(host, host.closeMdev(guest(vm))),
    settle: async () => host.settle(),
    takeLog: async () => log.take(),
    stop: async () => {},
  };
}

function outcomeOf<T>(host: Host, result: T | Wait<T>): T {
  if (!(result instanceof Wait)) return result;
  host.settle();
  if (!result.outcome) throw new Errno("ETIMEDOUT");
  if ("error" in result.outcome) throw result.outcome.error;
  return result.outcome.value;
}
