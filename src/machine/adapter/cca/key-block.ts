/** Blocks inside a parameter: a length of two bytes that counts itself and the tag, a tag of two bytes, the value. */
export interface TaggedBlock {
  readonly tag: number;
  readonly value: Uint8Array;
}

const headBytes = 4;

/** The blocks that fill `bytes`; undefined if they do not. */
export function readTaggedBlocks(bytes: Uint8Array): TaggedBlock[] | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const blocks: TaggedBlock[] = [];
  for (let offset = 0; offset < bytes.length; ) {
    if (offset + headBytes > bytes.length) return undefined;
    const length = view.getUint16(offset);
    if (length < headBytes || offset + length > bytes.length) return undefined;
    blocks.push({ tag: view.getUint16(offset + 2), value: bytes.subarray(offset + headBytes, offset + length) });
    offset += length;
  }
  return blocks;
}

export function taggedBlock(tag: number, value: Uint8Array): Uint8Array {
  const block = new Uint8Array(headBytes + value.length);
  const view = new DataView(block.buffer);
  view.setUint16(0, block.length);
  view.setUint16(2, tag);
  block.set(value, headBytes);
  return block;
}

/** The tag of a key token. */
export const keyTokenTag = 0x0030;
