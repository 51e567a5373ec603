import * as v from "valibot";
import { QemuError } from "../../../qemu/qemu-error.ts";
import type { ExceptionEntry } from "../exception-table.ts";

/**
 * What GuestProcessors knows of the kernel that runs, so that others go on where they stood. To find it again would do for a kernel that has
 * booted, but not for one that is just about to store its facilities, or whose AP bus is a module that comes later.
 */
export type ProcessorsRecord = v.InferOutput<typeof schema>;

/** More than a stub can hold at once. */
const maxHeld = 256;
/** Of the handlers that a kernel sets while it boots. */
export const maxSearched = 256;

const hex = (digits: string) => v.pipe(v.string(), v.regex(new RegExp(`^[0-9a-f]${digits}$`)));
const address = hex("{1,16}");

const schema = v.strictObject({
  /** Addresses of AP instructions. */
  ap: v.pipe(v.array(address), v.maxLength(maxHeld)),
  /** Addresses and texts of STFLE. */
  stfle: v.pipe(v.array(v.strictObject({ address, text: hex("{8}") })), v.maxLength(maxHeld)),
  /** New PSWs around which there was nothing. */
  searched: v.pipe(v.array(hex("{32}")), v.maxLength(maxSearched)),
  /** The two first instructions of the handler whose program checks are looked at; which of them has the breakpoint. */
  watch: v.optional(v.strictObject({ handler: address, second: address, held: v.picklist(["handler", "second"]) })),
  /** The entry of the kernel's table of exceptions that is watched while no breakpoint stands, and what is in it. */
  exceptions: v.optional(v.strictObject({ entry: address, taker: address })),
});

type RecordedException = NonNullable<ProcessorsRecord["exceptions"]>;

export const recordException = (exceptions: ExceptionEntry | undefined): RecordedException | undefined =>
  exceptions && { entry: exceptions.entry.toString(16), taker: exceptions.taker.toString(16) };

export const adoptException = ({ entry, taker }: RecordedException): ExceptionEntry => ({
  entry: BigInt(`0x${entry}`),
  taker: BigInt(`0x${taker}`),
});

/** QemuError: it is none. */
export function readProcessorsRecord(bytes: Uint8Array): ProcessorsRecord {
  const parsed = v.safeParse(schema, parsedJson(Buffer.from(bytes).toString("utf8")));
  if (!parsed.success) throw new QemuError(`what comes of a guest's processors is none: ${parsed.issues[0].message}`);
  return parsed.output;
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
