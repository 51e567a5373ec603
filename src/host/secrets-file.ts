import { createHash, timingSafeEqual } from "node:crypto";
import { closeSync, fstatSync, openSync, readFileSync } from "node:fs";
import { open, rename } from "node:fs/promises";
import { dirname } from "node:path";
import * as v from "valibot";
import { Refusal } from "./control-protocol.ts";
import { type DomainSecrets, domainSecretsSchema } from "./domain-secrets.ts";
import { systemErrorText } from "./system-error-text.ts";

/**
 * The file in a host's state folder that keeps its master keys: magic, version, length, SHA-256, then JSON. Only the process that holds the
 * host's lock reads and writes it. It is written as a whole beside the old one, forced to the disk and renamed: what is there is one
 * state or the next. One write at a time; what changes meanwhile is in the one after it, however many changes there are.
 */
const magic = Buffer.from("ADJKEYS\n", "latin1");
const formatVersion = 1;
const layout = { magic: 0, version: 8, length: 12, checksum: 16, content: 48 } as const;
/** 65,536 domains with every register of every kind filled; more would only fill the memory. */
const maxFileBytes = 64 * 1024 * 1024;

export class SecretsFile {
  readonly #domains = new Map<number, DomainSecrets>();
  #isChanged = false;
  #writing: Promise<void> | undefined;
  #failure: string | undefined;

  /** Refusal: what is there cannot be used; says which file and what to do. `onFailure` hears of a write that failed. */
  constructor(
    readonly path: string,
    private readonly onFailure: (text: string) => void,
  ) {
    for (const domain of readSecrets(path)) this.#domains.set(domain.queue, domain);
  }

  get domains(): readonly DomainSecrets[] {
    return [...this.#domains.values()];
  }

  /** All keys that a domain has now. */
  take(domain: DomainSecrets): void {
    if (Object.keys(domain.keys).length > 0) this.#domains.set(domain.queue, domain);
    else this.#domains.delete(domain.queue);
    this.#isChanged = true;
    this.#writing ??= this.#write();
  }

  /** Resolves when all that was taken is in the file. Refusal: it is not. */
  async saved(): Promise<void> {
    await this.#writing;
    if (this.#failure !== undefined) throw new Refusal(this.#failure);
  }

  async #write(): Promise<void> {
    while (this.#isChanged) {
      this.#isChanged = false;
      try {
        await replaceFile(this.path, encodeSecrets(this.domains));
        this.#failure = undefined;
      } catch (error) {
        this.#failure = `${this.path} cannot be written: ${systemErrorText(error)}; keys that changed are lost when the host ends`;
        this.onFailure(this.#failure);
      }
    }
    this.#writing = undefined;
  }
}

async function replaceFile(path: string, bytes: Uint8Array): Promise<void> {
  const draft = `${path}.new`;
  const file = await open(draft, "w", 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
  const folder = await open(dirname(path), "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function encodeSecrets(domains: readonly DomainSecrets[]): Uint8Array {
  const content = Buffer.from(JSON.stringify(domains));
  const file = Buffer.alloc(layout.content + content.length);
  magic.copy(file, layout.magic);
  file.writeUInt32BE(formatVersion, layout.version);
  file.writeUInt32BE(content.length, layout.length);
  checksum(content).copy(file, layout.checksum);
  content.copy(file, layout.content);
  return file;
}

function readSecrets(path: string): DomainSecrets[] {
  const file = readLimited(path);
  if (!file) return [];
  const problem = problemOf(file);
  if (problem !== undefined) throw unusable(path, problem);
  let content: unknown;
  try {
    content = JSON.parse(file.toString("utf8", layout.content));
  } catch {
    throw unusable(path, "its content is not what a host writes");
  }
  const parsed = v.safeParse(v.array(domainSecretsSchema), content);
  if (!parsed.success) throw unusable(path, "its content is not what a host writes");
  return parsed.output;
}

/** Undefined: there is none. */
function readLimited(path: string): Buffer | undefined {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, "r");
    if (fstatSync(descriptor).size > maxFileBytes) throw unusable(path, `it is larger than ${maxFileBytes} bytes`);
    return readFileSync(descriptor);
  } catch (error) {
    if (error instanceof Refusal) throw error;
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw unusable(path, systemErrorText(error));
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** What is wrong with the file around its content. */
function problemOf(file: Buffer): string | undefined {
  if (file.length < layout.content || file.compare(magic, 0, magic.length, 0, magic.length) !== 0) return "it is no file of master keys";
  const version = file.readUInt32BE(layout.version);
  if (version !== formatVersion) return `it has version ${version} of the format, this Adjunct knows version ${formatVersion}`;
  const content = file.subarray(layout.content);
  if (file.readUInt32BE(layout.length) !== content.length) return "it is cut off or was added to";
  if (!timingSafeEqual(checksum(content), file.subarray(layout.checksum, layout.content))) return "its checksum is wrong";
  return undefined;
}

const checksum = (content: Uint8Array): Buffer => createHash("sha256").update(content).digest();

const unusable = (path: string, problem: string): Refusal =>
  new Refusal(`the master keys in ${path} cannot be used: ${problem}; put a copy of the file back, or move it away to start without keys`);
