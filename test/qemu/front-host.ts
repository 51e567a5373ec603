import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import { installTools } from "../../src/host/tools/install-tools.ts";
import { toolsPlaces } from "../../src/host/tools/tools-folder.ts";
import { launcher, type Outcome, Sandbox, whyNotMountable } from "../cli/sandbox.ts";
import { toolsFolder } from "../tools/tool-host.ts";
import { Front } from "./front.ts";

/** The identifiers that commands have as `$uuid1` to `$uuid3`. */
export const uuids = {
  uuid1: "62177883-f1bb-47f0-914d-32a22e3a8804",
  uuid2: "9e3a2f6e-4c1f-4d34-8f0b-5a6f0c7f1d02",
  uuid3: "c4b1c1a0-2a7d-4d7c-9b1e-3f2d8e6a9b03",
} as const;

const suite = "trixie";
const installMs = 300_000;

/** A host in which command lines are typed into bash, as the documents have them. */
export class FrontHost {
  readonly sandbox = new Sandbox();
  readonly #fronts = new Set<Front>();
  #started = 0;
  #mount = "";

  constructor(readonly name: string) {
    Object.assign(this.sandbox.environment, uuids, { LC_ALL: "C", ADJUNCT_TOOLS_DIR: toolsFolder, ADJUNCT_TOOLS_SUITE: suite });
  }

  async up(configuration: string): Promise<void> {
    const { mount } = await this.sandbox.up(this.sandbox.file(`${this.name}.yaml`, configuration));
    this.#mount = mount;
  }

  type(command: string): Promise<Outcome> {
    return this.sandbox.adjunct("exec", this.name, "--", "bash", "-c", command);
  }

  typeInGuest(guest: string, command: string): Promise<Outcome> {
    return this.sandbox.adjunct("exec", this.name, "--guest", guest, "--", "bash", "-c", command);
  }

  hw(...words: string[]): Promise<Outcome> {
    return this.sandbox.adjunct("hw", this.name, ...words);
  }

  /** Starts a guest by a command line without its monitors and without -name; resolves when its monitors answer. */
  async start(guest: string, commandLine: string): Promise<Front> {
    const folder = join(this.sandbox.folder, String(++this.#started));
    const monitors = `-monitor stdio -qmp unix:${folder}.qmp,server=on,wait=off -pidfile ${folder}.pid`;
    const words = ["exec", this.name, "--", "bash", "-c", `exec ${commandLine} -name ${guest} ${monitors}`];
    const front = new Front(this.sandbox.spawn(process.execPath, [launcher, ...words]), folder);
    this.#fronts.add(front);
    void front.ended.then(() => this.#fronts.delete(front));
    await front.prompted();
    // The monitors are there before the machine, and answer what is asked of it in its turn.
    await front.type("info status");
    return front;
  }

  /** Ends what a failed test left, and forgets its guests. */
  async endFronts(): Promise<void> {
    await Promise.all([...this.#fronts].map((front) => front.quit()));
  }

  /** The cards and queues that a guest's Linux has at this moment. */
  devicesOf(guest: string): string[] {
    return readdirSync(join(this.#mount, "guests", guest, "bus/ap/devices")).sort();
  }
}

/** One host for all tests of a file or block. */
export function useFrontHost(name: string, configuration: string): FrontHost {
  const reason = whyNotMountable();
  const host = new FrontHost(name);
  beforeAll(async () => {
    if (reason !== undefined) return;
    installTools(suite, () => {}, toolsPlaces(toolsFolder));
    await host.up(configuration);
  }, installMs);
  afterEach(() => host.endFronts());
  afterAll(() => host.sandbox.close());
  beforeEach((context) => {
    if (reason !== undefined) context.skip(reason);
  });
  return host;
}
