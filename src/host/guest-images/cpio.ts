/**
 * An archive as the kernel unpacks it for an initramfs: cpio in the format called newc, the same bytes for the same entries. Everything belongs to
 * root and is as old as the epoch. Source: Documentation/driver-api/early-userspace/buffer-format.rst of Linux.
 */
export function cpioArchive(entries: readonly CpioEntry[]): Buffer {
  const records = entries.map((entry, index) => record(entry, index + 1));
  const archive = Buffer.concat([...records, record({ path: trailer, kind: "end" }, 0)]);
  return padded(archive, blockBytes);
}

export type CpioEntry =
  | { readonly path: string; readonly kind: "folder" }
  | { readonly path: string; readonly kind: "link"; readonly target: string }
  | { readonly path: string; readonly kind: "file"; readonly content: Buffer; readonly isExecutable: boolean };

type Member = CpioEntry | { readonly path: string; readonly kind: "end" };

const magic = "070701";
const trailer = "TRAILER!!!";
const blockBytes = 512;
/** Eight hexadecimal digits hold a size. */
const maxFileBytes = 0xffff_ffff;

/** Every field is eight hexadecimal digits, in this order. */
const fields = [
  "inode",
  "mode",
  "user",
  "group",
  "links",
  "time",
  "size",
  "major",
  "minor",
  "ownMajor",
  "ownMinor",
  "nameBytes",
  "sum",
] as const;

type Header = Readonly<Partial<Record<(typeof fields)[number], number>>>;

function record(member: Member, inode: number): Buffer {
  const content = contentOf(member);
  if (content.length > maxFileBytes) throw new RangeError(`${member.path} has ${content.length} bytes, more than cpio can say`);
  const name = Buffer.from(`${member.path}\0`);
  const header = { inode, mode: modeOf(member), links: linksOf(member), size: content.length, nameBytes: name.length };
  return Buffer.concat([padded(Buffer.concat([headerText(header), name]), 4), padded(content, 4)]);
}

const headerText = (header: Header): Buffer =>
  Buffer.from(magic + fields.map((field) => (header[field] ?? 0).toString(16).padStart(8, "0")).join(""));

function contentOf(member: Member): Buffer {
  if (member.kind === "file") return member.content;
  return Buffer.from(member.kind === "link" ? member.target : "");
}

/** The kind of a file in the upper bits, as in stat. */
function modeOf(member: Member): number {
  if (member.kind === "folder") return 0o040755;
  if (member.kind === "link") return 0o120777;
  if (member.kind === "file") return member.isExecutable ? 0o100755 : 0o100644;
  return 0;
}

/** A folder is also named by itself. */
const linksOf = ({ kind }: Member): number => (kind === "folder" ? 2 : 1);

const padded = (bytes: Buffer, to: number): Buffer => Buffer.concat([bytes, Buffer.alloc((to - (bytes.length % to)) % to)]);
