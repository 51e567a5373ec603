import { execFileSync } from "node:child_process";
import { closeSync, constants, openSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { ReadStream } from "node:tty";
import { QemuError } from "../qemu-error.ts";
import type { ChardevRecord, ChardevSurroundings } from "./chardev.ts";
import { PeerChardev } from "./peer-chardev.ts";
import { systemErrorText } from "./system-error-text.ts";

/** A pseudo terminal of its own, whose other end anybody may open by its name. QemuError. */
export async function openPtyChardev({ id, options }: ChardevRecord, { stdout }: ChardevSurroundings): Promise<PtyChardev> {
  const link = options.get("path");
  const chardev = new PtyChardev(id, pseudoTerminal());
  try {
    if (link !== undefined) chardev.linkFrom(link);
  } catch (error) {
    await chardev.close();
    throw new QemuError(`Failed to create PTY symlink: ${systemErrorText(error)}`);
  }
  stdout.write(`char device redirected to ${chardev.terminal} (label ${id})\n`);
  return chardev;
}

/**
 * It holds the other end open itself, so that a reader who comes later finds what was written, and one who goes ends nothing. QEMU looks once a
 * second whether somebody has it open, and drops what is written meanwhile.
 */
export class PtyChardev extends PeerChardev {
  readonly #own: ReadStream;
  readonly #other: ReadStream;
  #link: string | undefined;

  constructor(id: string, { own, other, terminal }: PseudoTerminal) {
    super(id);
    this.terminal = terminal;
    this.#other = new ReadStream(other);
    this.#other.setRawMode(true);
    this.#own = new ReadStream(own);
    this.connect({ input: this.#own, output: this.#own });
  }

  /** The path of the end for others. */
  readonly terminal: string;

  get filename(): string {
    return `pty:${this.terminal}`;
  }

  /** Another name of the end for others. */
  linkFrom(path: string): void {
    symlinkSync(this.terminal, path);
    this.#link = path;
  }

  protected async release(): Promise<void> {
    if (this.#link !== undefined) rmSync(this.#link, { force: true });
    this.disconnect();
    this.#own.destroy();
    this.#other.destroy();
  }
}

interface PseudoTerminal {
  readonly own: number;
  readonly other: number;
  readonly terminal: string;
}

/** TIOCSPTLCK of Linux asm-generic/ioctls.h with 0: the other end may be opened. Node has no ioctl. */
const unlock = 'ioctl(STDIN, 0x40045431, my $locked = pack("i", 0)) or die "$!\\n"';

function pseudoTerminal(): PseudoTerminal {
  let own: number | undefined;
  try {
    own = openSync("/dev/ptmx", constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
    execFileSync("perl", ["-e", unlock], { stdio: [own, "ignore", "pipe"] });
    const terminal = `/dev/pts/${terminalNumber(own)}`;
    return { own, terminal, other: openSync(terminal, constants.O_RDWR | constants.O_NOCTTY) };
  } catch (error) {
    if (own !== undefined) closeSync(own);
    throw new QemuError(`Failed to create PTY: ${systemErrorText(error)}`);
  }
}

/** TIOCGPTN, as proc(5) has it. */
function terminalNumber(own: number): string {
  const found = /^tty-index:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${own}`, "utf8"));
  if (!found?.[1]) throw new Error("its number is not known");
  return found[1];
}
