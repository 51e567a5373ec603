import { elfSection, textAt } from "./elf.ts";

/** The libraries that a program or library for s390x names, and the loader that a program asks for, without its folder. */
export function neededLibraries(bytes: Buffer): string[] {
  const dynamic = elfSection(bytes, ".dynamic");
  const texts = elfSection(bytes, ".dynstr");
  const needed: string[] = [];
  for (let offset = 0; dynamic && texts && offset + entry.size <= dynamic.length; offset += entry.size) {
    const tag = dynamic.readBigUInt64BE(offset + entry.tag);
    const name = textAt(texts, Number(dynamic.readBigUInt64BE(offset + entry.value)));
    if (tag === neededTag && name !== undefined) needed.push(name);
  }
  const loader = textAt(elfSection(bytes, ".interp") ?? Buffer.alloc(0), 0)
    ?.split("/")
    .at(-1);
  return loader === undefined ? needed : [...needed, loader];
}

const entry = { tag: 0, value: 8, size: 16 } as const;
const neededTag = 1n;
