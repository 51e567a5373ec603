import { constants, createReadStream, createWriteStream, fstatSync, openSync } from "node:fs";
import { Socket } from "node:net";
import type { Readable, Writable } from "node:stream";
import { QemuError } from "../qemu-error.ts";
import type { ChardevRecord } from "./chardev.ts";
import { PeerChardev } from "./peer-chardev.ts";
import { systemErrorText } from "./system-error-text.ts";

/** What is written goes into a file; `input-path` is what is read. QemuError. */
export function openFileChardev({ id, options }: ChardevRecord): FileChardev {
  const path = options.get("path");
  if (path === undefined) throw new QemuError("chardev: file: no filename given");
  const isAppended = options.get("append") === "on";
  const output = opened(path, constants.O_WRONLY | constants.O_CREAT | (isAppended ? constants.O_APPEND : constants.O_TRUNC));
  const inputPath = options.get("input-path");
  const input = inputPath === undefined ? undefined : opened(inputPath, constants.O_RDONLY);
  return new FileChardev(id, "file", input, output);
}

/** Two named pipes, PATH.in and PATH.out, or one file for both directions. QemuError. */
export function openPipeChardev({ id, options }: ChardevRecord): FileChardev {
  const path = options.get("path");
  if (path === undefined) throw new QemuError("chardev: pipe: no device path given");
  const both = (name: string): number => opened(name, constants.O_RDWR | constants.O_NONBLOCK);
  try {
    return new FileChardev(id, "pipe", both(`${path}.in`), both(`${path}.out`));
  } catch {
    const fd = both(path);
    return new FileChardev(id, "pipe", fd, fd);
  }
}

/** Files and pipes: nobody comes or goes. */
export class FileChardev extends PeerChardev {
  readonly #input: Readable | undefined;
  readonly #output: Writable;

  constructor(
    id: string,
    readonly filename: string,
    input: number | undefined,
    output: number,
  ) {
    super(id);
    this.#output = outputStream(output);
    const isOneStream = input === output && this.#output instanceof Socket;
    this.#input = isOneStream ? (this.#output as Socket) : input === undefined ? undefined : inputStream(input);
    this.connect({ ...(this.#input && { input: this.#input }), output: this.#output });
  }

  protected async release(): Promise<void> {
    this.disconnect();
    this.#input?.destroy();
  }
}

function opened(path: string, flags: number): number {
  try {
    return openSync(path, flags, 0o666);
  } catch (error) {
    throw new QemuError(`Could not open '${path}': ${systemErrorText(error)}`);
  }
}

// A pipe read by node:fs would hold one of its few threads until somebody writes.
const isPipe = (fd: number): boolean => fstatSync(fd).isFIFO();
const inputStream = (fd: number): Readable =>
  isPipe(fd) ? new Socket({ fd, readable: true, writable: false }) : createReadStream("", { fd });
const outputStream = (fd: number): Writable =>
  isPipe(fd) ? new Socket({ fd, readable: true, writable: true }) : createWriteStream("", { fd });
