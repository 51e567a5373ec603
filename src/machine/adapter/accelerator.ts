import { Functions } from "../../ap/queue-info.ts";
import type { AdapterProfile } from "../adapter-profile.ts";
import type { AsymmetricEngine, AsymmetricTask, OperandProblem, TaskFailure } from "./asymmetric/asymmetric-task.ts";
import { acceleratorError, ReplyCode } from "./error-reply.ts";
import type { AdapterProcessor } from "./processor.ts";

/**
 * An accelerator: modular exponentiation by messages of type 50, answered with type 80. Fields are right-aligned, zeros on the left;
 * a class of sizes has one fixed length of message and of reply. Source: Linux drivers/s390/crypto/zcrypt_msgtype50.c. The driver
 * copies the last bytes of a reply and stops the kernel for one above 528 bytes (272 on a CEX2A): no reply is ever longer.
 */
export const acceleratorProcessor =
  (engine: AsymmetricEngine): AdapterProcessor =>
  ({ message, profile, epoch }, reply) => {
    const task = readTask(message, profile);
    if (typeof task === "number") return reply(acceleratorError(task));
    engine(task, epoch, (result) => reply(typeof result === "string" ? acceleratorError(problemCodes[result]) : resultReply(result)));
  };

const requestType = 0x50;
const headerBytes = 16;
const lengthOffset = 2;
const keyBlockTypeOffset = 8;
/** Bytes of header and key block that must be zero; byte 5 is ignored. */
const reservedOffsets = [0, 4, 6, 7, 10, 11, 12, 13, 14, 15] as const;

const exponentiationSizes: ReadonlyMap<number, number> = new Map([
  [0x0001, 128],
  [0x0002, 256],
  [0x0003, 512],
]);
const crtSizes: ReadonlyMap<number, number> = new Map([
  [0x0011, 128],
  [0x0012, 256],
  [0x0013, 512],
]);
const largestCommonSize = 256;
/** CEX2A: no 4096-bit keys, whatever it says of itself. */
const smallAcceleratorType = 6;

const problemCodes: Readonly<Record<OperandProblem | TaskFailure, ReplyCode>> = {
  "invalid-key": ReplyCode.invalidKey,
  "even-modulus": ReplyCode.evenModulus,
  "modulus-too-long": ReplyCode.invalidOperand,
  "value-too-large": ReplyCode.invalidOperand,
  failed: ReplyCode.machineFailure,
};

function readTask(message: Uint8Array, profile: AdapterProfile): AsymmetricTask | ReplyCode {
  if (message.length < headerBytes) return ReplyCode.messageLength;
  const view = new DataView(message.buffer, message.byteOffset, message.length);
  if (view.getUint8(1) !== requestType) return ReplyCode.messageType;
  if (view.getUint16(lengthOffset) !== message.length) return ReplyCode.messageLength;
  if (reservedOffsets.some((offset) => message[offset] !== 0)) return ReplyCode.reservedField;
  const keyBlockType = view.getUint16(keyBlockTypeOffset);
  const size = exponentiationSizes.get(keyBlockType) ?? crtSizes.get(keyBlockType);
  if (size === undefined) return ReplyCode.keyType;
  const isCrt = crtSizes.has(keyBlockType);
  if (message.length !== headerBytes + (isCrt ? 5 * (size / 2) + size : 3 * size)) return ReplyCode.messageLength;
  if (size > largestCommonSize && !takesLargestKeys(profile, isCrt)) return ReplyCode.keyType;
  const fields = fieldsOf(message);
  if (!isCrt) return { kind: "power", exponent: fields(size), modulus: fields(size), value: fields(size), size };
  const half = size / 2;
  return { kind: "crt", p: fields(half), q: fields(half), dp: fields(half), dq: fields(half), u: fields(half), value: fields(size), size };
}

function takesLargestKeys({ type, functions }: AdapterProfile, isCrt: boolean): boolean {
  return type !== smallAcceleratorType && (functions & (isCrt ? Functions.crt4k : Functions.mex4k)) !== 0;
}

/** Takes one field after the other. */
function fieldsOf(message: Uint8Array): (bytes: number) => Uint8Array {
  let offset = headerBytes;
  return (bytes) => {
    offset += bytes;
    return message.subarray(offset - bytes, offset);
  };
}

const replyType = 0x80;

function resultReply(result: Uint8Array): Uint8Array {
  const reply = new Uint8Array(headerBytes + result.length);
  reply[1] = replyType;
  new DataView(reply.buffer).setUint16(lengthOffset, reply.length);
  reply.set(result, headerBytes);
  return reply;
}
