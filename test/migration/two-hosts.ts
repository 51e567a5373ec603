import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import { runCommandLine } from "../../src/cli/command-line.ts";
import { configurationFrom } from "../../src/host/configuration-file.ts";
import { type ControlClient, connectControl } from "../../src/host/control-client.ts";
import { guestPlaces, hostPlaces } from "../../src/host/places.ts";
import { type RunningHost, runHost } from "../../src/host/run-host.ts";

/** Two hosts in this process, without mounts, that a guest moves between: `here` with guest1, and `there`. */
export const uuid = "62177883-f1bb-47f0-914d-32a22e3a8804";
export const machine = {
  adapters: { 5: { type: "CEX7C" }, 6: { type: "CEX7A" } },
  "usage-domains": [4],
  "control-domains": [4],
  "announces-changes": false,
};
const common = { apmask: "-5,-6", kernel: "7.2-migration", machine };
export const source = {
  ...{ name: "here", ...common },
  mdevs: { [uuid]: { adapters: [5, 6], domains: [4], "control-domains": [4] } },
  guests: { guest1: { mdev: uuid } },
};
export const target = { name: "there", ...common };

export interface Printed {
  readonly status: number;
  readonly printed: string[];
  readonly noted: string[];
}

export class TwoHosts {
  readonly folder = mkdtempSync(join(tmpdir(), "adjunct-move-"));
  readonly #hosts: RunningHost[] = [];

  constructor() {
    process.env.ADJUNCT_RUN_DIR = join(this.folder, "r");
    process.env.ADJUNCT_STATE_DIR = join(this.folder, "s");
  }

  async up(configuration: object): Promise<RunningHost> {
    const host = await runHost(configurationFrom(configuration), { isMounted: false });
    this.#hosts.push(host);
    return host;
  }

  connect(host: RunningHost): Promise<ControlClient> {
    return connectControl(host.description.controlSocket);
  }

  /** Runs a command in this process. */
  async adjunct(...words: string[]): Promise<Printed> {
    const [printed, noted]: [string[], string[]] = [[], []];
    const status = await runCommandLine(words, { print: (text) => printed.push(text), note: (text) => noted.push(text) });
    return { status, printed, noted };
  }

  /** What a guest's log says, without times and without the command line that an emulator begins with. */
  logOf(host: string): string[] {
    let text: string;
    try {
      text = readFileSync(guestPlaces(hostPlaces(host), "guest1").log, "utf8");
    } catch {
      return [];
    }
    const lines = text
      .split("\n")
      .filter((line) => line !== "" && !line.endsWith("starting up") && !/^(-|qemu-system-s390x( \\)?$)/.test(line));
    return lines.map((line) => line.replace(/^\d{4}-\S+ \S+: /, ""));
  }

  async end(): Promise<void> {
    for (const host of this.#hosts) await host.stop();
    delete process.env.ADJUNCT_RUN_DIR;
    delete process.env.ADJUNCT_STATE_DIR;
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** For each test of a file its own. */
export function useTwoHosts(): { readonly current: TwoHosts } {
  const holder: { current: TwoHosts } = { current: undefined as unknown as TwoHosts };
  beforeEach(() => {
    holder.current = new TwoHosts();
  });
  afterEach(() => holder.current.end());
  return holder;
}

/** Mediated devices and guests. */
export async function stateOf(host: RunningHost): Promise<unknown> {
  const { mdevs, guests } = (await host.command({ do: "status" })) as { readonly mdevs: unknown; readonly guests: unknown };
  return { mdevs, guests };
}

/** Of the kernel log, what is an error. */
export const kernelErrors = async (host: RunningHost): Promise<string[]> =>
  ((await host.command({ do: "dmesg" })) as { level: number; text: string }[]).filter(({ level }) => level <= 3).map(({ text }) => text);
