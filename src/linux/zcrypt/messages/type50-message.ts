import { fail } from "../../../sysfs/errno.ts";
import { type RsaRequest, rightAligned } from "./rsa-request.ts";

/**
 * RSA as an accelerator takes it: a header, a key block of one of three sizes, fields right-aligned in it.
 * Source: Linux drivers/s390/crypto/zcrypt_msgtype50.c, struct type50_meb1_msg to type50_crb3_msg.
 */
const header = { type: 1, length: 2, keyBlockType: 8 } as const;

const powerBlocks = [
  { type: 0x0001, modulusBytes: 128, bytes: 400, exponent: 16, modulus: 144, message: 272 },
  { type: 0x0002, modulusBytes: 256, bytes: 784, exponent: 16, modulus: 272, message: 528 },
  { type: 0x0003, modulusBytes: 512, bytes: 1552, exponent: 16, modulus: 528, message: 1040 },
] as const;

const crtBlocks = [
  { type: 0x0011, modulusBytes: 128, bytes: 464, p: 16, q: 80, dp: 144, dq: 208, u: 272, message: 336 },
  { type: 0x0012, modulusBytes: 256, bytes: 912, p: 16, q: 144, dp: 272, dq: 400, u: 528, message: 656 },
  { type: 0x0013, modulusBytes: 512, bytes: 1808, p: 16, q: 272, dp: 528, dq: 784, u: 1040, message: 1296 },
] as const;

/** EINVAL: longer than the greatest block, or for CRT than `greatestModulus`. */
export function type50Message(request: RsaRequest, greatestModulus: number): Buffer {
  const { input } = request;
  const fits = ({ modulusBytes }: { readonly modulusBytes: number }): boolean => input.length <= modulusBytes;
  if ("modulus" in request) {
    const block = powerBlocks.find(fits) ?? fail("EINVAL");
    const size = block.modulusBytes;
    return filled(block, [
      [block.exponent, size, request.exponent],
      [block.modulus, size, request.modulus],
      [block.message, size, input],
    ]);
  }
  const block = crtBlocks.find(fits) ?? fail("EINVAL");
  if (block.modulusBytes > greatestModulus) fail("EINVAL");
  const half = block.modulusBytes / 2;
  return filled(block, [
    [block.p, half, request.p],
    [block.q, half, request.q],
    [block.dp, half, request.dp],
    [block.dq, half, request.dq],
    [block.u, half, request.u],
    [block.message, block.modulusBytes, input],
  ]);
}

type Field = readonly [offset: number, size: number, value: Uint8Array];

function filled({ type, bytes }: { readonly type: number; readonly bytes: number }, fields: readonly Field[]): Buffer {
  const message = Buffer.alloc(bytes);
  message[header.type] = 0x50;
  message.writeUInt16BE(bytes, header.length);
  message.writeUInt16BE(type, header.keyBlockType);
  for (const [offset, size, value] of fields) message.set(rightAligned(value, size), offset);
  return message;
}
