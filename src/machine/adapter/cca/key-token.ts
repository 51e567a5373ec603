/**
 * RSA keys as the kernel wraps them for a CCA coprocessor, in the clear: an external token with a public section, or with a private
 * section of CRT parts. Source: Linux drivers/s390/crypto/zcrypt_cca_key.h.
 */
export interface PublicKeyToken {
  readonly exponent: Uint8Array;
  readonly modulus: Uint8Array;
}

export interface CrtKeyToken {
  readonly p: Uint8Array;
  readonly q: Uint8Array;
  readonly dp: Uint8Array;
  readonly dq: Uint8Array;
  readonly u: Uint8Array;
  /** The modulus itself is not in the token. */
  readonly modulusBytes: number;
}

/** 4096 bits. */
const maxModulusBytes = 512;
const externalToken = 0x1e;
/** A key block holds its second length and flags before the token. */
const tokenOffset = 4;
const tokenHeaderBytes = 8;
const sectionHeaderBytes = 4;
const publicSection = { id: 0x04, exponentBytes: 6, modulusBytes: 10, parts: 12 } as const;
const crtSection = { id: 0x08, format: 28, lengths: 54, parts: 132 } as const;
const clearCrtFormat = 0x40;

/** Exponent and modulus of the token in a key block; undefined if there are none. */
export function readPublicKey(keyBlock: Uint8Array): PublicKeyToken | undefined {
  const section = findSection(keyBlock, publicSection.id);
  if (!section || section.byteLength < publicSection.parts) return undefined;
  const [exponent, modulus] = partsOf(section, publicSection.parts, [
    section.getUint16(publicSection.exponentBytes),
    section.getUint16(publicSection.modulusBytes),
  ]);
  return exponent && modulus && isModulusSize(modulus.length) ? { exponent, modulus } : undefined;
}

/** The private parts of the token in a key block; undefined if there are none, or not in the clear. */
export function readCrtKey(keyBlock: Uint8Array): CrtKeyToken | undefined {
  const section = findSection(keyBlock, crtSection.id);
  if (!section || section.byteLength < crtSection.parts || section.getUint8(crtSection.format) !== clearCrtFormat) return undefined;
  const lengthAt = (index: number): number => section.getUint16(crtSection.lengths + 2 * index);
  const modulusBytes = lengthAt(5);
  const [p, q, dp, dq, u] = partsOf(section, crtSection.parts, [0, 1, 2, 3, 4].map(lengthAt));
  if (!p || !q || !dp || !dq || !u || !isModulusSize(modulusBytes)) return undefined;
  return [p, q, dp, dq, u].every(({ length }) => length <= maxModulusBytes) ? { p, q, dp, dq, u, modulusBytes } : undefined;
}

const isModulusSize = (bytes: number): boolean => bytes > 0 && bytes <= maxModulusBytes;

function findSection(keyBlock: Uint8Array, id: number): DataView | undefined {
  const token = keyBlock.subarray(tokenOffset);
  if (token.length < tokenHeaderBytes || token[0] !== externalToken) return undefined;
  const view = new DataView(token.buffer, token.byteOffset, token.length);
  const end = view.getUint16(2);
  if (end > token.length) return undefined;
  for (let offset = tokenHeaderBytes; offset + sectionHeaderBytes <= end; ) {
    const length = view.getUint16(offset + 2);
    if (length < sectionHeaderBytes || offset + length > end) return undefined;
    if (view.getUint8(offset) === id) return new DataView(token.buffer, token.byteOffset + offset, length);
    offset += length;
  }
  return undefined;
}

/** Parts that follow each other from `start`; none if they end behind the section. */
function partsOf(section: DataView, start: number, lengths: readonly number[]): Uint8Array[] {
  if (start + lengths.reduce((sum, length) => sum + length, 0) > section.byteLength) return [];
  let offset = section.byteOffset + start;
  return lengths.map((length) => {
    offset += length;
    return new Uint8Array(section.buffer, offset - length, length);
  });
}
