/**
 * One section of an ELF file of s390x: 64 bits, big-endian; undefined where there is none of that name, or where the file is something else.
 * Never reads outside the bytes. Source: the System V ABI, chapter 4.
 */
export function elfSection(bytes: Buffer, name: string): Buffer | undefined {
  if (bytes.length < elfHeader.size || !bytes.subarray(0, identification.length).equals(identification)) return undefined;
  const start = bytes.readBigUInt64BE(elfHeader.sections);
  const size = bytes.readUInt16BE(elfHeader.sectionSize);
  const count = bytes.readUInt16BE(elfHeader.sectionCount);
  if (size < sectionHeader.size) return undefined;
  const headers = Array.from({ length: count }, (_, index) => part(bytes, start + BigInt(index * size), BigInt(sectionHeader.size)));
  const names = contentOf(bytes, headers[bytes.readUInt16BE(elfHeader.nameSection)]);
  const found = headers.find((header) => header && names && textAt(names, header.readUInt32BE(sectionHeader.name)) === name);
  return contentOf(bytes, found);
}

/** A text that ends with a zero byte. */
export function textAt(bytes: Buffer, offset: number): string | undefined {
  const end = bytes.indexOf(0, offset);
  return offset > bytes.length || end < 0 ? undefined : bytes.toString("latin1", offset, end);
}

/** The magic number, 64 bits, most significant byte first. */
const identification = Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 2]);
const elfHeader = { sections: 40, sectionSize: 58, sectionCount: 60, nameSection: 62, size: 64 } as const;
const sectionHeader = { name: 0, offset: 24, length: 32, size: 64 } as const;

function contentOf(bytes: Buffer, header: Buffer | undefined): Buffer | undefined {
  if (header === undefined) return undefined;
  return part(bytes, header.readBigUInt64BE(sectionHeader.offset), header.readBigUInt64BE(sectionHeader.length));
}

function part(bytes: Buffer, offset: bigint, length: bigint): Buffer | undefined {
  const end = offset + length;
  return end > BigInt(bytes.length) ? undefined : bytes.subarray(Number(offset), Number(end));
}
