import type { FactsQuestion, KeyRegister, SideFacts } from "../migration/side-facts.ts";
import { readConfigurationFile } from "./configuration-file.ts";
import { startConfiguredMdevs } from "./configured-mdevs.ts";
import { Refusal } from "./control-protocol.ts";
import { createHost } from "./create-host.ts";
import type { Host } from "./host.ts";
import { migrationFacts } from "./migration-facts.ts";

/**
 * A host that is a file alone, such as `adjunct record` wrote on a mainframe: brought up as far as its mediated devices, inside this process,
 * to be asked once. None of its guests starts: a guest is its mediated device.
 */
export class RecordedSide {
  private constructor(
    private readonly host: Host,
    private readonly guests: ReadonlyMap<string, string | undefined>,
  ) {}

  /** ConfigurationError: a mistake in the file. An Error that names the step that was refused. */
  static async read(path: string): Promise<RecordedSide> {
    const configuration = readConfigurationFile(path);
    const host = createHost({ ...configuration, rules: { modules: [] } }, () => {}) as Host;
    await startConfiguredMdevs(configuration.mdevs, async (command) => host.finish(host.command(command)));
    host.settle();
    return new RecordedSide(host, new Map(configuration.guests.map(({ name, mdev }) => [name, mdev])));
  }

  facts(about: FactsQuestion): SideFacts {
    const facts = migrationFacts(this.host, about.of === "guest" ? { of: "mdev", uuid: this.#mdevOf(about.name) } : about);
    const ofGuest = [...this.guests].find(([, uuid]) => uuid !== undefined && uuid === facts.mdev?.uuid)?.[0] ?? null;
    const keys = (known: readonly KeyRegister[] | null): KeyRegister[] | null => (known?.some(isFilled) ? [...known] : null);
    return {
      ...facts,
      mdev: facts.mdev && { ...facts.mdev, guest: ofGuest, isInUse: ofGuest !== null },
      queues: facts.queues.map((queue) => ({ ...queue, keys: keys(queue.keys) })),
    };
  }

  /** A guest of the file or the UUID of a mediated device. Refusal. */
  #mdevOf(name: string): string {
    const uuid = this.guests.get(name);
    if (uuid !== undefined) return uuid;
    const uuids = (this.host.linux.vfioAp?.matrixMdevs ?? []).map((mdev) => mdev.uuid);
    const own = uuids.find((each) => each === name.toLowerCase());
    if (own !== undefined) return own;
    if (this.guests.has(name)) throw new Refusal(`guest ${name} of ${this.host.name} has no mediated device`);
    const known = [...this.guests.keys(), ...uuids];
    throw new Refusal(
      `no guest or mediated device ${name} in ${this.host.name}${known.length > 0 ? `: there are ${known.join(", ")}` : ""}`,
    );
  }
}

/** A recording of queues that vfio_ap has says nothing of their keys, which is not that they have none. */
const isFilled = ({ state }: KeyRegister): boolean => state !== "empty" && state !== "invalid";
