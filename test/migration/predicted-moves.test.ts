import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Functions, type Mode } from "../../src/ap/queue-info.ts";
import { type AdapterProfile, adapterProfile } from "../../src/machine/adapter-profile.ts";
import { checkMigration } from "../../src/migration/check-migration.ts";
import { predictedErrno } from "../../src/migration/finding.ts";
import { questionFor, type SideFacts } from "../../src/migration/side-facts.ts";
import { Errno, type ErrnoName } from "../../src/sysfs/errno.ts";
import { Wait } from "../../src/sysfs/wait.ts";
import { matrix, TestHost, type TestHostOptions, uuids } from "../support/test-host.ts";

/**
 * What `adjunct migrate --check` predicts against what the driver answers to the same source: every pair of cards that differ in what the
 * document's table names, and every other reason by itself and together.
 */
const [uuid, otherUuid] = uuids;
const adapter = 5;
const features = { ap: true, apqci: true, apft: true, apqi: true };
const allMasks = { apmask: `-${adapter}`, aqmask: "-4" };

class Side {
  readonly host: TestHost;

  constructor(options: TestHostOptions, masks: Partial<typeof allMasks> = allMasks) {
    this.host = new TestHost({ kernel: "7.2-migration", usage: [4], control: [4], ...options });
    if (masks.apmask !== undefined) this.host.write("/sys/bus/ap/apmask", masks.apmask);
    if (masks.aqmask !== undefined) this.host.write("/sys/bus/ap/aqmask", masks.aqmask);
    this.host.createMdev(uuid);
  }

  /** The guest starts, with what is assigned. */
  plug(): this {
    this.command("create", { features });
    this.command("plug", { sysfsdev: `${matrix}/${uuid}` });
    return this;
  }

  /** The result or an errno. */
  command(action: string, parameters: Readonly<Record<string, unknown>> = {}): unknown {
    try {
      const result = this.host.host.command({ do: "guest", action, guest: "guest1", ...parameters });
      return result instanceof Wait ? this.host.host.finish(result) : result;
    } catch (error) {
      if (error instanceof Errno) return error.code;
      throw error;
    }
  }

  facts(about: unknown): SideFacts {
    return this.host.host.command({ do: "migration-facts", about }) as SideFacts;
  }
}

/** A source that was asked once. */
interface Source {
  readonly facts: SideFacts;
  readonly data: string;
}

function sourceWith(options: TestHostOptions, assigned = { adapters: [adapter], domains: [4], control: [4] }): Source {
  const side = new Side(options);
  for (const id of assigned.adapters) side.host.assign(uuid, "adapter", id);
  for (const id of assigned.domains) side.host.assign(uuid, "domain", id);
  for (const id of assigned.control) side.host.assign(uuid, "control_domain", id);
  side.plug();
  side.command("device-state", { state: "stop-copy" });
  const facts = side.facts({ of: "guest", name: "guest1" });
  return { facts, data: String(side.command("device-read", { maxBytes: 32768 })) };
}

/** What the check says and what the driver says; undefined: it moves. */
function compared({ facts, data }: Source, to: Side): { readonly predicted: unknown; readonly answered: unknown } {
  to.command("reset");
  const predicted = predictedErrno(checkMigration(facts, to.facts(questionFor(facts)), { createsMdev: true }));
  to.command("device-state", { state: "resuming" });
  const answered = to.command("device-write", { bytes: data });
  return { predicted, answered };
}

function expectAgreement(
  sources: readonly [string, Source][],
  targets: readonly [string, () => Side][],
): { moved: number; refused: number } {
  const disagreements: string[] = [];
  let [moved, refused] = [0, 0];
  for (const [targetName, make] of targets) {
    const to = make();
    for (const [name, source] of sources) {
      const { predicted, answered } = compared(source, to);
      if (predicted !== answered) disagreements.push(`${name} -> ${targetName}: predicted ${predicted}, driver ${answered}`);
      if (answered === undefined) moved++;
      else refused++;
    }
  }
  expect(disagreements).toEqual([]);
  return { moved, refused };
}

const types = [10, 11, 12, 13, 14] as const;
const modes: readonly Mode[] = ["accelerator", "cca", "ep11"];
const modeBits = { accelerator: Functions.accelerator, cca: Functions.cca, ep11: Functions.ep11 } as const;
const classes = [Functions.classFull, Functions.classStateless, 0];
const noted = Functions.apsc | Functions.mex4k | Functions.crt4k | Functions.apxa;

const card = (type: number, mode: Mode, functions: number): AdapterProfile => ({
  ...adapterProfile(type, mode),
  functions: (modeBits[mode] | functions) >>> 0,
});

const sourceOf = (profile: AdapterProfile): Source => sourceWith({ adapters: { [adapter]: profile } });
const targetOf = (profile: AdapterProfile): Side => new Side({ adapters: { [adapter]: profile } }).plug();
const nameOf = ({ type, functions }: AdapterProfile): string => `${type} ${functions.toString(16)}`;

function agreementOf(profiles: readonly AdapterProfile[]): { moved: number; refused: number } {
  return expectAgreement(
    profiles.map((profile) => [nameOf(profile), sourceOf(profile)]),
    profiles.map((profile) => [nameOf(profile), () => targetOf(profile)]),
  );
}

describe("the check and the driver agree on", () => {
  test("every pair of card types, modes, classes and filtering", () => {
    const profiles = types.flatMap((type) =>
      modes.flatMap((mode) =>
        classes.flatMap((bits) => [0, Functions.slcf].map((filtering) => card(type, mode, Functions.apsc | bits | filtering))),
      ),
    );
    // Older to newer of 5 types, the same of 3 modes and 2 filterings, and 7 of 9 pairs of classes.
    expect(agreementOf(profiles)).toEqual({ moved: 15 * 3 * 2 * 7, refused: 90 * 90 - 15 * 3 * 2 * 7 });
  });

  test("every pair of facilities and addressing", () => {
    const bits = [Functions.apsc, Functions.mex4k, Functions.crt4k, Functions.apxa];
    const words = Array.from({ length: 16 }, (_, index) =>
      bits.reduce((word, bit, place) => (index & (1 << place) ? word | bit : word), 0),
    );
    expect(agreementOf(words.map((word) => card(11, "cca", word | Functions.classFull)))).toEqual({ moved: 16, refused: 240 });
  });

  test("every pair of bind states", () => {
    const profiles = [0, 1, 2, 3].map((state) => card(13, "cca", noted | Functions.classFull | (state << 14)));
    expect(agreementOf(profiles)).toEqual({ moved: 1, refused: 15 });
  });

  test("pairs of any two cards", () => {
    const anyCard = fc
      .record({
        type: fc.constantFrom(...types),
        mode: fc.constantFrom(...modes),
        bits: fc.subarray([
          Functions.apsc,
          Functions.mex4k,
          Functions.crt4k,
          Functions.apxa,
          Functions.slcf,
          Functions.classFull,
          Functions.classStateless,
        ]),
      })
      .map(({ type, mode, bits }) =>
        card(
          type,
          mode,
          bits.reduce((word, bit) => word | bit, 0),
        ),
      );
    fc.assert(
      fc.property(anyCard, anyCard, (from, to) => {
        expectAgreement([[nameOf(from), sourceOf(from)]], [[nameOf(to), () => targetOf(to)]]);
      }),
      { numRuns: 150 },
    );
  });
});

const full = card(12, "cca", Functions.apsc | Functions.classFull);
const older = card(11, "cca", Functions.apsc | Functions.classFull);

/** Each changes one thing of the destination, whose driver answers with an errno by itself. */
const obstacles = {
  "masks that leave the adapter to the host": { masks: { apmask: "", aqmask: "" }, errno: "ENODEV" },
  "an older card": { options: { adapters: { [adapter]: older } }, errno: "EINVAL" },
  "no such card": { options: { adapters: {} }, errno: "ENODEV" },
  "no such domain": { options: { usage: [5] }, errno: "ENODEV" },
  "no such control domain": { options: { control: [5] }, errno: "ENODEV" },
  "a card that is gone since the last scan": { change: ({ host }) => host.host.machine.removeAdapter(adapter), errno: "ENODEV" },
  "a deconfigured card": { change: ({ host }) => host.hardware((machine) => machine.setConfigured(adapter, false)), errno: undefined },
  "a checkstopped card": { change: ({ host }) => host.hardware((machine) => machine.setCheckstop(adapter, true)), errno: undefined },
  "a queue of another mediated device": {
    change: ({ host }) => host.createMdev(otherUuid, { adapters: [adapter], domains: [4] }),
    errno: "EADDRINUSE",
  },
  "a queue that an override which is gone gave to vfio_ap": {
    masks: { apmask: "", aqmask: "" },
    change({ host }) {
      host.write("/sys/bus/ap/devices/05.0004/driver_override", "vfio_ap\n");
      host.write("/sys/bus/ap/drivers/cex4queue/unbind", "05.0004\n");
      host.write("/sys/bus/ap/drivers/vfio_ap/bind", "05.0004\n");
      host.write("/sys/bus/ap/devices/05.0004/driver_override", "\n");
    },
    errno: "EADDRNOTAVAIL",
  },
  "an unbound queue": { change: ({ host }) => host.write("/sys/bus/ap/drivers/vfio_ap/unbind", "05.0004\n"), errno: "ENODEV" },
} as const satisfies Readonly<Record<string, Obstacle & { readonly errno: ErrnoName | undefined }>>;

interface Obstacle {
  readonly options?: TestHostOptions;
  readonly masks?: Partial<typeof allMasks>;
  readonly change?: (side: Side) => unknown;
}

function obstructed(...parts: readonly Obstacle[]): Side {
  const options = Object.assign({ adapters: { [adapter]: full } }, ...parts.map((part) => part.options ?? {}));
  const side = new Side(options, Object.assign({}, allMasks, ...parts.map((part) => part.masks ?? {}))).plug();
  for (const { change } of parts) change?.(side);
  return side;
}

describe("the check and the driver agree where", () => {
  const source = sourceOf(full);
  const all = Object.entries(obstacles);

  test.each(all)("the destination has %s", (_, obstacle) => {
    const { errno } = obstacle;
    expect(compared(source, obstructed(obstacle))).toEqual({ predicted: errno, answered: errno });
  });

  test("two of these come together", () => {
    const pairs = all.flatMap(([first, one], index) =>
      all.slice(index + 1).map(([second, two]) => [`${first} and ${second}`, () => obstructed(one, two)] as const),
    );
    const { refused } = expectAgreement(
      [["guest", source]],
      pairs.map(([name, make]) => [name, make]),
    );
    expect(refused).toBeGreaterThan(40);
  });

  test("some queues of several are unfit", () => {
    const usage = [4, 5];
    const several = sourceWith(
      { adapters: { 5: full, 6: full }, usage, control: usage },
      { adapters: [5, 6], domains: usage, control: [4] },
    );
    const make =
      (adapters: TestHostOptions["adapters"], change: (side: Side) => unknown = () => {}) =>
      (): Side => {
        const side = new Side({ adapters: adapters ?? {}, usage, control: usage }, { apmask: "-5,-6", aqmask: "-4,-5" }).plug();
        change(side);
        return side;
      };
    const gone = (id: number) => (side: Side) => side.host.host.machine.removeAdapter(id);
    expectAgreement(
      [["guest", several]],
      [
        ["the first incompatible, the last gone", make({ 5: older, 6: full }, gone(6))],
        ["the first gone, the last incompatible", make({ 5: full, 6: older }, gone(5))],
        ["all there", make({ 5: full, 6: full })],
        ["one absent", make({ 5: full })],
      ],
    );
  });
});
