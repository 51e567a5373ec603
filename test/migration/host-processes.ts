import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { type ControlClient, connectControl } from "../../src/host/control-client.ts";
import { parseSideFacts } from "../../src/migration/side-facts.ts";
import { launcher, Sandbox } from "../cli/sandbox.ts";
import { cachedGuestImage, guestImagesFolder } from "../guests/stock-guest.ts";

/** Two hosts, each in a process of its own as `adjunct up` starts it, between which guests move. */
export const hostNames = ["here", "there"] as const;
export type HostName = (typeof hostNames)[number];

export const otherThan = (host: HostName): HostName => (host === "here" ? "there" : "here");

export const uuid = "62177883-f1bb-47f0-914d-32a22e3a8804";

/** What `adjunct migrate --json` prints of a guest that went. */
export interface Hop {
  readonly totalMs: number;
  readonly info: { readonly downtime: number; readonly "x-ap-downtime-us": number };
}

export class HostPair {
  readonly sandbox = new Sandbox();
  readonly #clients = new Map<HostName, ControlClient>();
  readonly pids = new Map<HostName, number>();

  /** `options`: of `adjunct up`. */
  constructor(private readonly options: readonly string[] = ["--no-mount"]) {
    this.sandbox.environment.ADJUNCT_GUEST_IMAGES_DIR = guestImagesFolder;
  }

  /** `guests`: of the configuration of `here`, each a line of YAML. */
  async up(guests: readonly string[]): Promise<void> {
    if (guests.some((guest) => guest.includes("linux: debian-12"))) cachedGuestImage("debian-12");
    for (const name of hostNames) await this.upAgain(name, name === "here" ? guests : []);
  }

  async upAgain(name: HostName, guests: readonly string[] = []): Promise<void> {
    this.#clients.get(name)?.close();
    this.#clients.delete(name);
    const text = `${[...common(name), ...(guests.length > 0 ? ["guests:", ...guests.map((guest) => `  ${guest}`)] : [])].join("\n")}\n`;
    const { pid, controlSocket } = await this.sandbox.up(this.sandbox.file(`${name}.yaml`, text), ...this.options);
    this.pids.set(name, pid);
    this.#clients.set(name, await connectControl(controlSocket));
  }

  async down(name: HostName): Promise<void> {
    const { status, stderr } = await this.sandbox.adjunct("down", name);
    if (status !== 0) throw new Error(stderr);
  }

  ask(host: HostName, command: Readonly<Record<string, unknown>> & { readonly do: string }): Promise<unknown> {
    return this.#clients.get(host)!.request(command);
  }

  /** Moves the guest to the other host. Throws what the command says. */
  async hop(from: HostName, guest = "guest1"): Promise<Hop> {
    const { status, stdout, stderr } = await this.sandbox.adjunct("migrate", from, guest, otherThan(from), "--json");
    if (status !== 0) throw new Error(`${stdout}${stderr}`);
    return JSON.parse(stdout);
  }

  /** By a shell of the real guest. */
  async inGuest(host: HostName, script: string, input: string | Uint8Array = ""): Promise<string> {
    const words = [launcher, "exec", host, "--guest", "guest1", "--", "sh", "-c", script];
    const { status, stdout, stderr } = await this.sandbox.run(process.execPath, words, input);
    return `${stderr}${stdout}${status === 0 ? "" : `status ${status}\n`}`;
  }

  /** What the host knows of its guests, running ones first of all. */
  async guests(host: HostName): Promise<{ readonly name: string; readonly isRunning: boolean }[]> {
    return ((await this.ask(host, { do: "status" })) as { readonly guests: { name: string; isRunning: boolean }[] }).guests;
  }

  /** Of each queue of the mediated device: who has it, what TAPQ answers, and what waits in it. */
  async queues(host: HostName): Promise<QueueState[]> {
    const { mdev, queues } = parseSideFacts(
      await this.ask(host, { do: "migration-facts", about: { of: "matrix", guest: null, uuid, matrix: matrixOfGuests } }),
    );
    return Promise.all(
      queues.map(async ({ adapter, domain, driver, tapq }) => {
        const [card, queue] = [hex(adapter, 2), `${hex(adapter, 2)}.${hex(domain, 4)}`];
        const read = async (file: string): Promise<string> =>
          String(await this.ask(host, { do: "read", path: `/sys/devices/ap/card${card}/${queue}/${file}` })).trim();
        const waiting = Number(await read("requestq_count")) + Number(await read("pendingq_count"));
        const isInUse = mdev?.isInUse === true || (await read("status")) === "in use";
        return { queue, driver, responseCode: tapq.responseCode, waiting, isInUse, interrupts: await read("interrupt") };
      }),
    );
  }

  /** The guest's log at that host. */
  log(host: HostName, guest = "guest1"): string {
    return join(this.sandbox.stateFolder, host, "guests", guest, "log");
  }

  async close(): Promise<void> {
    for (const client of this.#clients.values()) client.close();
    await this.sandbox.close();
  }
}

export interface QueueState {
  readonly queue: string;
  readonly driver: string | null;
  readonly responseCode: number;
  readonly waiting: number;
  readonly isInUse: boolean;
  readonly interrupts: string;
}

const matrixOfGuests = { adapters: [5, 6], domains: [4], controlDomains: [4] };

/** As a queue is that nobody uses. */
export const freeQueues: readonly QueueState[] = ["05.0004", "06.0004"].map((queue) => ({
  ...{ queue, driver: "vfio_ap", responseCode: 0, waiting: 0, isInUse: false, interrupts: "Interrupts disabled." },
}));

/**
 * The hosts' own threads get a processor when they want one, so that what is measured is what a move's steps take and not what else runs on
 * this machine; their children run as everything does. Says whether that is allowed here.
 */
export function prefer(pids: Iterable<number>): boolean {
  return [...pids].every((pid) => spawnSync("chrt", ["--reset-on-fork", "--rr", "--pid", "1", String(pid)]).status === 0);
}

const common = (name: HostName): string[] => [
  `name: ${name}`,
  "kernel: 7.2-migration",
  "machine:",
  "  model: z16",
  "  master-keys: test",
  "  adapters: { 5: { type: CEX7C }, 6: { type: CEX7A } }",
  "  usage-domains: [4]",
  "  control-domains: [4]",
  'apmask: "-5,-6"',
  ...(name === "here" ? ["mdevs:", `  ${uuid}: { adapters: [5, 6], domains: [4], control-domains: [4] }`] : []),
];

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, "0");
