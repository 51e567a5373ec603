/** An ELF file of s390x with these sections and nothing else. */
export function elfFile(sections: Readonly<Record<string, Buffer>>): Buffer {
  const named = Object.entries({ "": Buffer.alloc(0), ...sections, ".shstrtab": Buffer.alloc(0) });
  const names = Buffer.from(named.map(([name]) => `${name}\0`).join(""));
  const header = Buffer.alloc(headerBytes);
  Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 2, 1]).copy(header);
  header.writeBigUInt64BE(BigInt(headerBytes), 40);
  header.writeUInt16BE(headerBytes, 58);
  header.writeUInt16BE(named.length, 60);
  header.writeUInt16BE(named.length - 1, 62);
  let offset = headerBytes * (1 + named.length);
  const contents = named.map(([name, content]) => (name === ".shstrtab" ? names : content));
  const headers = contents.map((content, index) => {
    const section = Buffer.alloc(headerBytes);
    section.writeUInt32BE(names.indexOf(`${named[index]![0]}\0`), 0);
    section.writeBigUInt64BE(BigInt(offset), 24);
    section.writeBigUInt64BE(BigInt(content.length), 32);
    offset += content.length;
    return section;
  });
  return Buffer.concat([header, ...headers, ...contents]);
}

/** Of the file, and of a section. */
const headerBytes = 64;
