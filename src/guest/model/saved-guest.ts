import * as v from "valibot";
import { qciBlockBytes } from "../../ap/qci.ts";
import { deviceStates, machineStates } from "../../linux/bus/queue-state-machine.ts";
import { generationNames } from "../../linux/generation.ts";

/**
 * All that a model guest's Linux is, as plain JSON. It comes from another host: everything has a limit, and nothing is taken that is not
 * described here. Times are in milliseconds of the guest's clock.
 */
/** Of the kernel log only so much goes along; its ring holds 8192 lines. */
export const mostSavedLines = 1024;
export const mostLineLetters = 1024;
/** A thousand years of a guest's clock: what adds to a time is still exact. */
const latestMs = 1000 * 365 * 86_400_000;
export const savedLine = /^([0-7]),([0-9.e-]{1,24});(.*)$/s;
const mostModules = 32;
const mostNodes = 256;
/** A card each adapter, a queue each pair, and a driver each of both. */
const mostDevices = 256 + 65_536;
const mostModulusBytes = 512;
/** Room for a padded digest. */
const leastModulusBytes = 128;

const integer = (least: number, greatest: number) => v.pipe(v.number(), v.integer(), v.minValue(least), v.maxValue(greatest));
const count = integer(0, Number.MAX_SAFE_INTEGER);
const word = integer(0, 0xffffffff);
const byte = integer(0, 255);
const time = v.pipe(v.number(), v.minValue(0), v.maxValue(latestMs));
const name = v.pipe(v.string(), v.minLength(1), v.maxLength(64));
const mask = v.pipe(v.string(), v.regex(/^0x[0-9a-f]{64}$/));
const keyPart = v.pipe(v.string(), v.maxLength(2 * mostModulusBytes), v.regex(/^([0-9a-f]{2})+$/));
const modulus = v.pipe(keyPart, v.minLength(2 * leastModulusBytes));

/** Of the log: `6,1333.5;text`. A string takes half the time of an object to look through, and there are a thousand. */
const line = v.pipe(v.string(), v.maxLength(mostLineLetters + 32), v.regex(savedLine));

const node = v.strictObject({
  name: v.pipe(v.string(), v.minLength(1), v.maxLength(31), v.regex(/^[^/]*$/)),
  minor: byte,
  masks: v.strictObject({ ioctlmask: mask, apmask: mask, aqmask: mask, admask: mask }),
});

const configured = { isConfigured: v.boolean(), isCheckstopped: v.boolean() };
/** `online` of what zcrypt's drivers serve. */
const isOnline = v.nullable(v.boolean());

const card = v.strictObject({
  kind: v.literal("card"),
  id: byte,
  info: v.strictObject({ rawType: byte, type: byte, functions: word, depthField: byte, messageLimit: byte }),
  ...configured,
  requestCount: count,
  isOnline,
});

const queue = v.strictObject({
  kind: v.literal("queue"),
  apqn: integer(0, 0xffff),
  ...configured,
  driverOverride: v.nullable(v.pipe(v.string(), v.minLength(1), v.maxLength(4095))),
  deviceState: v.picklist(deviceStates),
  machineState: v.picklist(machineStates),
  lastError: byte,
  requestCount: count,
  isInterruptOn: v.boolean(),
  isOnline,
});

const bus = v.strictObject({
  hasQci: v.boolean(),
  usesInterrupts: v.boolean(),
  maxAdapter: byte,
  maxDomain: byte,
  /** The block that PQAP(QCI) gave at the last scan. */
  configuration: v.pipe(v.string(), v.regex(new RegExp(`^[0-9a-f]{${2 * qciBlockBytes}}$`))),
  defaultDomain: integer(-1, 255),
  scanCount: count,
  scanSeconds: integer(5, 120),
  nextScanAtMs: v.nullable(time),
  isScanDue: v.boolean(),
  pollTimeoutNs: integer(0, 120_000_000_000),
  hasPollThread: v.boolean(),
  probesAutomatically: v.boolean(),
  bindingsCompleteCount: count,
  isBindingsCompleteArmed: v.boolean(),
  apmask: mask,
  aqmask: mask,
  areMasksInUse: v.boolean(),
  /** In the order they were registered. */
  devices: v.pipe(v.array(v.variant("kind", [card, queue])), v.maxLength(mostDevices)),
  /** Which driver has which device, in the order in which drivers remember theirs. */
  bindings: v.pipe(v.array(v.strictObject({ device: name, driver: name })), v.maxLength(mostDevices)),
});

/** A longer one would keep the model's thread busy with each signature. */
const exponent = v.pipe(keyPart, v.maxLength(16));

/** Parts of an RSA key; `u` is the inverse of q modulo p. */
export const loopKey = v.strictObject({ n: modulus, e: exponent, p: keyPart, q: keyPart, dp: keyPart, dq: keyPart, u: keyPart });

const loop = v.strictObject({
  key: loopKey,
  state: v.picklist(["running", "stopped", "failed"]),
  error: v.nullable(v.pipe(v.string(), v.regex(/^E[A-Z0-9]{1,20}$/))),
  startedAtMs: time,
  signatures: count,
  wrong: count,
  sentAgain: count,
  nextReportAtMs: v.nullable(time),
});

const system = v.strictObject({
  bootId: v.pipe(v.string(), v.regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)),
  clockMs: time,
  nextLine: count,
  log: v.pipe(v.array(line), v.maxLength(mostSavedLines)),
  uevents: count,
  modules: v.pipe(v.array(name), v.maxLength(mostModules)),
  nodes: v.pipe(v.array(node), v.maxLength(mostNodes)),
  /** Absent without AP instructions. */
  bus: v.nullable(bus),
  loop: v.nullable(loop),
});

export const savedGuest = v.strictObject({
  kernel: v.picklist(generationNames),
  facilities: v.strictObject({ ap: v.boolean(), qci: v.boolean(), apft: v.boolean(), apqi: v.boolean(), msa3: v.boolean() }),
  /** Absent before its first boot and after it powered off. */
  system: v.nullable(system),
});

export type SavedGuest = v.InferOutput<typeof savedGuest>;
export type SavedSystem = NonNullable<SavedGuest["system"]>;
export type SavedBus = v.InferOutput<typeof bus>;
export type SavedCard = v.InferOutput<typeof card>;
export type SavedQueue = v.InferOutput<typeof queue>;
export type LoopKey = v.InferOutput<typeof loopKey>;
export type SavedLoop = v.InferOutput<typeof loop>;
