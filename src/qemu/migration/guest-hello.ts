import * as v from "valibot";
import { vmstateId } from "../devices/vfio-ap-migration.ts";
import type { Emulator } from "../emulator.ts";
import type { RunState } from "../run-state.ts";
import { StreamError } from "./frame.ts";

/** What the source says of itself and its guest. Limits stop a peer from making this side keep or print more. */
const hello = v.object({
  token: v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/)),
  witness: v.pipe(v.string(), v.maxLength(107)),
  kind: v.picklist(["model", "real"]),
  machine: v.pipe(v.string(), v.maxLength(64)),
  memoryBytes: v.pipe(v.number(), v.integer(), v.minValue(0)),
  cpus: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(248)),
  features: v.pipe(v.array(v.picklist(["ap", "apqci", "apft", "apqi"])), v.maxLength(4)),
  /** Its vfio-ap device; the UUIDs of the two mediated devices need not be the same. */
  device: v.nullable(v.object({ id: v.nullable(v.pipe(v.string(), v.maxLength(128))), mdev: v.pipe(v.string(), v.maxLength(128)) })),
});

const ready = v.object({ witness: v.pipe(v.string(), v.maxLength(107)) });
const stopped = v.object({ runState: v.picklist(["running", "paused", "prelaunch", "shutdown", "guest-panicked"]) });

export type GuestHello = v.InferOutput<typeof hello>;
/** The run state in which the guest was when it was stopped for the rest. */
export type StateBefore = v.InferOutput<typeof stopped>["runState"];

export const readHello = (bytes: Buffer): GuestHello => parsed(hello, bytes);
export const readReady = (bytes: Buffer): v.InferOutput<typeof ready> => parsed(ready, bytes);
export const readStopped = (bytes: Buffer): v.InferOutput<typeof stopped> => parsed(stopped, bytes);

export const isStateBefore = (state: RunState): state is StateBefore => v.is(stopped.entries.runState, state);

export function describeGuest(emulator: Emulator): Omit<GuestHello, "token" | "witness"> {
  const { type, cpus, memoryBytes, cpu } = emulator.machine.options;
  const device = emulator.vfioAp;
  return {
    kind: emulator.options.stock ? "real" : "model",
    machine: type.name,
    memoryBytes,
    cpus: cpu ? cpus : 0,
    features: apFeatures.filter((feature) => cpu?.features.has(feature)),
    device: device ? { id: device.id ?? null, mdev: String(device.options.get("sysfsdev")).split("/").at(-1) ?? "" } : null,
  };
}

/**
 * Why a guest cannot come to this machine; undefined: it can. QEMU's words where its stream would not load, ours for what it does not look
 * at (whose processors differ in AP) or cannot be (a guest of another kind). A device that only this side has is none of its problems.
 */
export function whyNotHere(here: Omit<GuestHello, "token" | "witness">, coming: GuestHello): string | undefined {
  if (coming.machine !== here.machine) return `Machine type received is '${coming.machine}' and local is '${here.machine}'`;
  if (coming.kind !== here.kind) return `Kind of guest received is '${coming.kind}' and local is '${here.kind}'`;
  if (coming.memoryBytes !== here.memoryBytes) {
    return `Size mismatch: s390.ram: 0x${coming.memoryBytes.toString(16)} != 0x${here.memoryBytes.toString(16)}: Invalid argument`;
  }
  if (coming.cpus > here.cpus) return unknownSection("cpu", here.cpus);
  if (coming.cpus < here.cpus) return `Processors received are ${coming.cpus} and local are ${here.cpus}`;
  const [theirs, ours] = [coming.features.join(",") || "none", here.features.join(",") || "none"];
  if (theirs !== ours) return `AP features received are '${theirs}' and local are '${ours}'`;
  if (coming.device && !here.device) return unknownSection(vmstateId, 0);
  return undefined;
}

const apFeatures = ["ap", "apqci", "apft", "apqi"] as const;

const unknownSection = (name: string, instance: number): string =>
  `Unknown section or instance '${name}' ${instance}. Make sure that your current VM setup matches your saved VM setup, including any hotplugged devices`;

function parsed<T extends v.GenericSchema>(schema: T, bytes: Buffer): v.InferOutput<T> {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString("utf8"));
  } catch {
    throw new StreamError("A frame of the migration is no JSON");
  }
  const result = v.safeParse(schema, value);
  if (!result.success) throw new StreamError(`A frame of the migration says what it may not: ${result.issues[0].message}`);
  return result.output;
}
