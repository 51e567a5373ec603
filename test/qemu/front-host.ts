import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach } from "vitest";
import { launcher, type Outcome, Sandbox, whyNotMountable } from "../cli/sandbox.ts";
import { Front } from "./front.ts";

/** The identifiers that commands have as `$uuid1` to `$uuid3`. */
export const uuids = {
  uuid1: "62177883-f1bb-47f0-914d-32a22e3a8804",
  uuid2: "9e3a2f6e-4c1f-4d34-8f0b-5a6f0c7f1d02",
  uuid3: "c4b1c1a0-2a7d-4d7c-9b1e-3f2d8e6a9b03",
} as const;

/** A host in which command lines are typed into bash, as the documents have them. */
export class FrontHost {
  readonly sandbox = new Sandbox();
  #fronts = 0;
  #mount = "";

  constructor(readonly name: string) {
    Object.assign(this.sandbox.environment, uuids, { LC_ALL: "C" });
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
    const folder = join(this.sandbox.folder, String(++this.#fronts));
    const monitors = `-monitor stdio -qmp unix:${folder}.qmp,server=on,wait=off -pidfile ${folder}.pid`;
    const words = ["exec", this.name, "--", "bash", "-c", `exec ${commandLine} -name ${guest} ${monitors}`];
    const front = new Front(this.sandbox.spawn(process.execPath, [launcher, ...words]), folder);
    await front.prompted();
    return front;
  }

  /** The cards and queues that a guest's Linux has at this moment. */
  devicesOf(guest: string): string[] {
    return readdirSync(join(this.#mount, "../guests", guest, "bus/ap/devices")).sort();
  }
}

/** One host for all tests of a file or block. */
export function useFrontHost(name: string, configuration: string): FrontHost {
  const reason = whyNotMountable();
  const host = new FrontHost(name);
  beforeAll(async () => {
    if (reason === undefined) await host.up(configuration);
  });
  afterAll(() => host.sandbox.close());
  beforeEach((context) => {
    if (reason !== undefined) context.skip(reason);
  });
  return host;
}
