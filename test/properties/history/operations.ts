import * as fc from "fast-check";
import { apqn, apqnName } from "../../../src/ap/apqn.ts";
import { Mask } from "../../../src/ap/mask.ts";
import { type Mode, Modes } from "../../../src/ap/queue-info.ts";
import type { GenerationName } from "../../../src/linux/generation.ts";

/**
 * What can happen to a host, as data: HMC events, writes of an administrator, guests, time. Few numbers, so that conflicts are
 * frequent. A history is printed as it is when it fails.
 */
export type Operation =
  | { readonly hw: "card"; readonly id: number; readonly type: number; readonly mode: Mode }
  | { readonly hw: "remove-card"; readonly id: number }
  | { readonly hw: "config" | "checkstop" | "usage-domain" | "control-domain"; readonly id: number; readonly on: boolean }
  | { readonly write: string; readonly data: string }
  | { readonly open: number; readonly mdev: string }
  | { readonly close: number }
  | { readonly module: "load" | "unload"; readonly name: string }
  /** A signal to the writer that has waited longest. */
  | { readonly interrupt: true }
  | { readonly settle: true }
  /** Time passes. */
  | { readonly tickMs: number }
  /** One ready job runs until it gives way. */
  | { readonly step: true }
  /** A guest's instruction, for the queue of that number or the one of that place among those it has. */
  | { readonly guest: number; readonly does: Instruction; readonly queue: number }
  | { readonly guest: number; readonly does: Instruction; readonly own: number }
  /** The administrator unbinds a queue that a guest has. */
  | { readonly unbindFrom: number; readonly own: number }
  /** The emulator of a guest migrates its device. */
  | { readonly device: number; readonly state: "stop" | "running" | "stop-copy" | "resuming" }
  | { readonly device: number; readonly reads: true }
  /** It brings the data of a source with these queues, and as many bytes at once. */
  | { readonly device: number; readonly adapters: readonly number[]; readonly domains: readonly number[]; readonly pieceBytes: number }
  /** The adapters answer that many of the messages that they hold, the newest first or last. */
  | { readonly answer: number; readonly newestFirst: boolean };

export type Instruction = "nqap" | "dqap" | "tapq" | "rapq" | "zapq" | "aqic-on" | "aqic-off";

export interface Setting {
  readonly kernel: GenerationName;
  readonly resetDurationMs: number;
  readonly announcesChanges: boolean;
  /** Jobs give way wherever they may, and go on when a later operation lets them. */
  readonly givesWay: boolean;
  readonly isBuiltIn: boolean;
  /** Begins with three mediated devices and a host that gave most adapters away. */
  readonly isPrepared: boolean;
}

export const adapterIds = [1, 2, 5] as const;
export const domainIds = [0, 4, 7] as const;
const rareId = 0x47;
export const guestCount = 3;
export const uuids = [1, 2, 3].map((number) => `0000000${number}-4b4a-1484-a9b1-0c42436f40f2`);

const bus = "/sys/bus/ap";
const matrix = "/sys/devices/vfio_ap/matrix";
export const createPath = `${matrix}/mdev_supported_types/vfio_ap-passthrough/create`;
export const mdevPath = (uuid: string): string => `${matrix}/${uuid}`;

const rarely = <T>(usual: fc.Arbitrary<T>, rare: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ weight: 19, arbitrary: usual }, { weight: 1, arbitrary: rare });
const adapter = rarely(fc.constantFrom<number[]>(...adapterIds), fc.constant(rareId));
const domain = rarely(fc.constantFrom<number[]>(...domainIds), fc.constant(rareId));
const uuid = fc.constantFrom(...uuids);
const guest = fc.nat({ max: guestCount - 1 });
const queue = fc.tuple(adapter, domain).map(([a, d]) => apqn(a, d));
const queueName = queue.map(apqnName);
const cardName = adapter.map((id) => `card${id.toString(16).padStart(2, "0")}`);
const deviceName = rarely(queueName, cardName);

const write = (path: fc.Arbitrary<string> | string, data: fc.Arbitrary<string> | string): fc.Arbitrary<Operation> =>
  fc.record({ write: typeof path === "string" ? fc.constant(path) : path, data: typeof data === "string" ? fc.constant(data) : data });

const number = (id: number): fc.Arbitrary<string> =>
  fc.constantFrom(`${id}\n`, `${id}\n`, `0x${id.toString(16)}\n`, `+${id}`, `0${id.toString(8)}\n`);
const numberOf = (ids: fc.Arbitrary<number>): fc.Arbitrary<string> =>
  rarely(ids.chain(number), fc.constantFrom("\n", "08\n", "256\n", "5 \n", "-1\n", "99999999999999999999999\n", "65536\n"));

const hexMask = (ids: fc.Arbitrary<number>): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 6, arbitrary: fc.uniqueArray(ids, { maxLength: 3 }).map((some) => Mask.from(some).toString()) },
    { weight: 1, arbitrary: fc.uniqueArray(ids, { maxLength: 3 }).map((some) => Mask.from(some).toString().slice(0, 6)) },
    { weight: 1, arbitrary: fc.constantFrom("0x0", "", "x", Mask.all.toString(), "0XFF", "0x1g") },
  );
const term = (ids: fc.Arbitrary<number>): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 8, arbitrary: fc.tuple(fc.constantFrom("+", "-"), ids).map(([sign, id]) => `${sign}${id}`) },
    { weight: 1, arbitrary: fc.tuple(fc.constantFrom("+", "-"), ids, ids).map(([sign, from, to]) => `${sign}${from}-${to}`) },
    { weight: 1, arbitrary: fc.constantFrom("-0-255", "+0-255", "+0x10", "-020", "+256") },
  );
const maskText = (ids: fc.Arbitrary<number>): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 6, arbitrary: fc.array(term(ids), { minLength: 1, maxLength: 3 }).map((terms) => `${terms.join(",")}\n`) },
    { weight: 1, arbitrary: fc.array(term(ids), { minLength: 1, maxLength: 3 }).map((terms) => terms.join("")) },
    { weight: 2, arbitrary: hexMask(ids).map((text) => `${text}\n`) },
  );

const mdevFile = (name: string): fc.Arbitrary<string> => uuid.map((id) => `${mdevPath(id)}/${name}`);
const isOn = fc.constantFrom("0\n", "1\n");

const hardware: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      hw: fc.constant("card" as const),
      id: adapter,
      type: rarely(fc.integer({ min: 10, max: 14 }), fc.constantFrom(8, 9, 15)),
      mode: fc.constantFrom(...Modes),
    }),
  },
  { weight: 1, arbitrary: fc.record({ hw: fc.constant("remove-card" as const), id: adapter }) },
  { weight: 5, arbitrary: fc.record({ hw: fc.constantFrom("config" as const, "checkstop" as const), id: adapter, on: fc.boolean() }) },
  {
    weight: 4,
    arbitrary: fc.record({
      hw: fc.constantFrom("usage-domain" as const, "usage-domain" as const, "control-domain" as const),
      id: domain,
      on: fc.constantFrom(true, true, true, false),
    }),
  },
);

const masks: fc.Arbitrary<Operation> = fc.oneof(write(`${bus}/apmask`, maskText(adapter)), write(`${bus}/aqmask`, maskText(domain)));

const apDriver = rarely(fc.constantFrom("cex4queue", "vfio_ap"), fc.constant("cex4card"));
const binding: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 4,
    arbitrary: write(
      apDriver.map((name) => `${bus}/drivers/${name}/unbind`),
      deviceName,
    ),
  },
  {
    weight: 3,
    arbitrary: write(
      apDriver.map((name) => `${bus}/drivers/${name}/bind`),
      deviceName.map((name) => `${name}\n`),
    ),
  },
  { weight: 2, arbitrary: write(`${bus}/drivers_probe`, deviceName) },
  { weight: 2, arbitrary: fc.record({ unbindFrom: guest, own: fc.nat({ max: 8 }) }) },
  {
    weight: 1,
    arbitrary: write(
      queueName.map((name) => `${bus}/devices/${name}/driver_override`),
      fc.constantFrom("vfio_ap\n", "cex4queue", "\n", "none\n"),
    ),
  },
);

const assignment: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 6, arbitrary: write(mdevFile("assign_adapter"), numberOf(adapter)) },
  { weight: 6, arbitrary: write(mdevFile("assign_domain"), numberOf(domain)) },
  { weight: 3, arbitrary: write(mdevFile("unassign_adapter"), numberOf(adapter)) },
  { weight: 3, arbitrary: write(mdevFile("unassign_domain"), numberOf(domain)) },
  { weight: 1, arbitrary: write(mdevFile("assign_control_domain"), numberOf(domain)) },
  { weight: 1, arbitrary: write(mdevFile("unassign_control_domain"), numberOf(domain)) },
  {
    weight: 4,
    arbitrary: write(
      mdevFile("ap_config"),
      fc.tuple(hexMask(adapter), hexMask(domain), hexMask(domain)).map((parts) => `${parts.join(",")}\n`),
    ),
  },
);

const lives: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 4,
    arbitrary: write(
      createPath,
      uuid.map((text) => `${text}\n`),
    ),
  },
  { weight: 3, arbitrary: write(mdevFile("remove"), fc.constantFrom("1\n", "1", "0\n", "x")) },
  {
    weight: 1,
    arbitrary: write(
      fc.constantFrom("unbind", "bind").map((name) => `/sys/bus/mdev/drivers/vfio_ap_mdev/${name}`),
      uuid,
    ),
  },
);

const guests: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ open: guest, mdev: uuid }) },
  { weight: 2, arbitrary: fc.record({ close: guest }) },
);

const does: fc.Arbitrary<Instruction> = fc.oneof(
  { weight: 10, arbitrary: fc.constant("nqap" as const) },
  { weight: 4, arbitrary: fc.constant("dqap" as const) },
  { weight: 2, arbitrary: fc.constantFrom("tapq" as const, "rapq" as const, "zapq" as const, "aqic-on" as const, "aqic-off" as const) },
);
const instructions: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ guest, does, own: fc.nat({ max: 8 }) }) },
  { weight: 1, arbitrary: fc.record({ guest, does, queue }) },
);

const otherFiles: fc.Arbitrary<Operation> = fc.oneof(
  write(
    fc.constantFrom("ap", "mdev").map((name) => `/sys/bus/${name}/drivers_autoprobe`),
    isOn,
  ),
  write(
    cardName.map((name) => `${bus}/devices/${name}/config`),
    isOn,
  ),
  write(
    deviceName.map((name) => `${bus}/devices/${name}/online`),
    isOn,
  ),
  write(
    deviceName.map((name) => `${bus}/devices/${name}/request_count`),
    "1",
  ),
  write(
    queueName.map((name) => `${bus}/devices/${name}/reset`),
    "1",
  ),
  write(
    deviceName.map((name) => `${bus}/devices/${name}/uevent`),
    fc.constantFrom("add", "nonsense"),
  ),
  write(`${bus}/ap_domain`, domain.map(String)),
  write(`${bus}/config_time`, fc.constantFrom("5\n", "30", "x", "121")),
  write(
    fc.constantFrom("create", "destroy").map((name) => `/sys/class/zcrypt/${name}`),
    fc.constantFrom("one\n", "two", ""),
  ),
  write(
    fc
      .tuple(fc.constantFrom("one", "two", "zcrypt_0"), fc.constantFrom("apmask", "ioctlmask"))
      .map(([node, name]) => `/sys/class/zcrypt/${node}/${name}`),
    maskText(domain),
  ),
);

const modules: fc.Arbitrary<Operation> = fc.record({
  module: fc.constantFrom("load" as const, "load" as const, "unload" as const),
  name: rarely(fc.constant("vfio_ap"), fc.constantFrom("zcrypt_cex4", "vfio_ap")),
});

const scan: fc.Arbitrary<Operation> = write(`${bus}/scans`, "1\n");
const time: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ settle: true as const }) },
  { weight: 3, arbitrary: fc.constantFrom(10, 45, 10_000, 31_000).map((tickMs) => ({ tickMs })) },
  { weight: 4, arbitrary: fc.constant({ step: true as const }) },
  { weight: 1, arbitrary: fc.constant({ interrupt: true as const }) },
);

const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 8, arbitrary: hardware },
  { weight: 6, arbitrary: masks },
  { weight: 8, arbitrary: binding },
  { weight: 20, arbitrary: assignment },
  { weight: 5, arbitrary: lives },
  { weight: 8, arbitrary: guests },
  { weight: 18, arbitrary: instructions },
  { weight: 4, arbitrary: fc.record({ answer: fc.integer({ min: 1, max: 4 }), newestFirst: fc.boolean() }) },
  { weight: 4, arbitrary: otherFiles },
  { weight: 1, arbitrary: modules },
  { weight: 7, arbitrary: scan },
  { weight: 10, arbitrary: time },
);

export const setting = (kernel: GenerationName): fc.Arbitrary<Setting> =>
  fc.record({
    kernel: fc.constant(kernel),
    resetDurationMs: fc.constantFrom(0, 0, 30),
    announcesChanges: fc.boolean(),
    givesWay: fc.boolean(),
    isBuiltIn: rarely(fc.constant(false), fc.constant(true)),
    isPrepared: fc.constantFrom(true, true, true, false),
  });

/** A guest comes to some queues and puts something in, unless something is in the way. */
const arrival: fc.Arbitrary<readonly Operation[]> = fc
  .record({ guest, id: uuid, adapter, domains: fc.uniqueArray(domain, { minLength: 1, maxLength: 2 }) })
  .map(({ guest, id, adapter, domains }) => [
    { write: `${bus}/apmask`, data: `-${adapter}\n` },
    { write: createPath, data: id },
    ...domains.map((domain) => ({ write: `${mdevPath(id)}/assign_domain`, data: `${domain}\n` })),
    { write: `${mdevPath(id)}/assign_adapter`, data: `${adapter}\n` },
    { open: guest, mdev: id },
    { guest, does: "nqap", own: 0 },
    { guest, does: "nqap", own: 1 },
  ]);

const step: fc.Arbitrary<readonly Operation[]> = fc.oneof(
  { weight: 9, arbitrary: operation.map((one) => [one]) },
  { weight: 2, arbitrary: arrival },
);

const taking: fc.Arbitrary<Operation> = fc.record({
  device: guest,
  adapters: rarely(fc.subarray<number>([2, 5]), fc.subarray<number>([...adapterIds])),
  domains: fc.subarray([...domainIds], { maxLength: 2 }),
  pieceBytes: fc.constantFrom(7, 4096),
});

/** A guest comes from elsewhere, or goes. */
const migration: fc.Arbitrary<readonly Operation[]> = fc.oneof(
  fc.record({ device: guest, state: fc.constantFrom("stop", "running", "stop-copy", "resuming") }).map((one) => [one]),
  taking.map((one) => [one]),
  guest.map((device): readonly Operation[] => [{ device, state: "stop-copy" }, { device, reads: true }, { close: device }]),
  taking.map((one): readonly Operation[] => {
    const { device } = one as { readonly device: number };
    return [{ device, state: "resuming" }, one, { device, state: "running" }];
  }),
);

const stepOf = (kernel: GenerationName): fc.Arbitrary<readonly Operation[]> =>
  kernel === "7.2-migration" ? fc.oneof({ weight: 4, arbitrary: step }, { weight: 1, arbitrary: migration }) : step;

/** Long enough for queues to change owners several times. */
export const history = (kernel: GenerationName): fc.Arbitrary<readonly [Setting, readonly Operation[]]> =>
  fc.tuple(
    setting(kernel),
    fc.array(stepOf(kernel), { minLength: 1, maxLength: 110, size: "max" }).map((steps) => steps.flat()),
  );
