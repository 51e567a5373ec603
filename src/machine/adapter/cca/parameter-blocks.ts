/**
 * The parameters behind a verb: blocks with a length of two bytes that counts itself. Rules, data and a key block follow each other;
 * undefined where they do not fill what they claim.
 */
export interface ParameterBlocks {
  /** Keywords of eight characters. */
  readonly rules: readonly string[];
  readonly data: Uint8Array;
  /** Empty for a verb without a key. */
  readonly key: Uint8Array;
}

const lengthBytes = 2;
const keywordBytes = 8;

export function readParameterBlocks(parameters: Uint8Array): ParameterBlocks | undefined {
  const rules = blockAt(parameters, 0);
  const data = rules && blockAt(parameters, lengthBytes + rules.length);
  const key = data && blockAt(parameters, 2 * lengthBytes + rules.length + data.length);
  if (!key || rules.length % keywordBytes !== 0) return undefined;
  const keywords = String.fromCharCode(...rules).match(/.{8}/gs) ?? [];
  return { rules: keywords, data, key };
}

/** What the block at `offset` holds. */
function blockAt(bytes: Uint8Array, offset: number): Uint8Array | undefined {
  if (offset + lengthBytes > bytes.length) return undefined;
  const length = (bytes[offset]! << 8) | bytes[offset + 1]!;
  if (length < lengthBytes || offset + length > bytes.length) return undefined;
  return bytes.subarray(offset + lengthBytes, offset + length);
}
