import { type Type6Options, type6 } from "./adapter-messages.ts";

/**
 * Messages about keys to a CCA coprocessor as the kernel's drivers write them, put together from lengths alone; and what is where in
 * the replies, by offset.
 */
const u16 = (value: number): Buffer => Buffer.of((value >> 8) & 0xff, value & 0xff);
const counted = (bytes: Uint8Array): Buffer => Buffer.concat([u16(bytes.length + 2), bytes]);
const tagged = (tag: number, bytes: Uint8Array): Buffer => Buffer.concat([u16(bytes.length + 4), u16(tag), bytes]);
const keyOptions: Type6Options = { replyBytes: 220 + 512 };

const message = (verb: string, rules: string, data: Uint8Array, key: Uint8Array, options: Type6Options = {}): Buffer =>
  type6(Buffer.concat([Buffer.from(verb), counted(Buffer.from(rules)), counted(data), counted(key)]), { ...keyOptions, ...options });

export const facilityQuery = (keyword: string, options?: Type6Options): Buffer =>
  message("FQ", keyword, Buffer.alloc(4096), Buffer.alloc(0), { replyBytes: 220 + 4112, ...options });

const dataKeyBlocks = Buffer.concat([0, 1, 2, 3, 4, 5].map((index) => tagged(index === 2 ? 0x30 : 0x10, Buffer.alloc(64))));

export const generateDataKey = (bytes: 16 | 24 | 32, options?: Type6Options): Buffer =>
  message("KG", "", Buffer.from(`OP      KEYLN${bytes} AESDATA ${"\0".repeat(8)}`, "latin1"), dataKeyBlocks, options);

export const importDataKey = (key: Uint8Array, options?: Type6Options): Buffer =>
  message("CM", "AES     ", key, tagged(0x30, Buffer.alloc(64)), options);

export const unwrapDataKey = (token: Uint8Array, options?: Type6Options): Buffer =>
  message("US", "", Buffer.of(0, 4, 0, 1), tagged(0, token), options);

/** A skeleton for an AES CIPHER key whose first management field is `management`; 0x08c8 lets it be exported to CPACF. */
export function skeleton(management = 0x08c8, payloadVersion = 0): Buffer {
  const token = Buffer.alloc(56);
  for (const [offset, value] of [
    [0, 1],
    [3, 56],
    [4, 5],
    [28, payloadVersion],
    [30, 1],
    [33, 26],
    [41, 2],
    [43, 1],
    [44, 2],
    [45, 0xc0],
    [47, 0xff],
    [49, 3],
  ] as const)
    token[offset] = value;
  token.writeUInt16BE(management, 50);
  return token;
}

export function generateCipherKey(bits: number, of: Uint8Array = skeleton(), options?: Type6Options): Buffer {
  const data = Buffer.concat([Buffer.from("TOKEN           "), u16(bits), Buffer.alloc(8)]);
  const blocks = [0, 1, 2, 3, 4, 5].map((index) => tagged(0x30, index === 2 ? of : Buffer.alloc(0)));
  return message("GK", "AES     OP      ", data, Buffer.concat(blocks), options);
}

/** `rules` are those behind the first one, `AES`. */
export function importKeyPart(rules: string, part: Uint8Array, token: Uint8Array, options?: Type6Options): Buffer {
  const data = Buffer.concat([tagged(0x64, u16(8 * part.length)), tagged(0x63, part)]);
  return message("IP", `AES     ${rules}`, data, tagged(0x30, token), options);
}

export const unwrapCipherKey = (token: Uint8Array, options?: Type6Options): Buffer =>
  message("AU", "EXPT-SK ", tagged(0xc2, Buffer.alloc(66)), tagged(0, token), options);

/** A command of administration: `kind` is AES, APKA or ASYM, `step` one of its keywords. */
export function masterKey(
  kind: string,
  step: string,
  part: Uint8Array = Buffer.alloc(0),
  options: Type6Options & { readonly functionId?: string } = {},
): Buffer {
  const command = message("MK", `${kind}-MK`.padEnd(8) + step.padEnd(8), part, Buffer.alloc(0), options);
  command.write(options.functionId ?? "T3", 94, "latin1");
  return command;
}

/** The return and reason code of a reply, or the code of an error of type 82. */
export const codesOf = (reply: Buffer): string =>
  reply[1] === 0x86 ? `${reply.readUInt16BE(192)}/${reply.readUInt16BE(194)}` : `${reply[1]!.toString(16)} ${reply[4]!.toString(16)}`;

/** The three parts of a reply's parameter block. */
export function partsOf(reply: Buffer): { readonly rules: Buffer; readonly data: Buffer; readonly key: Buffer } {
  const end = 268 + reply.readUInt32BE(72);
  const parts: Buffer[] = [];
  for (let offset = 270; offset < end; ) {
    const length = reply.readUInt16BE(offset);
    parts.push(reply.subarray(offset + 2, offset + length));
    offset += length;
  }
  if (parts.length !== 3) throw new Error(`a parameter block of ${parts.length} parts`);
  return { rules: parts[0]!, data: parts[1]!, key: parts[2]! };
}

/** The token in the answer of KG and CM, GK and IP. */
export const tokenOf = (reply: Buffer): Buffer => partsOf(reply).key.subarray(4);
