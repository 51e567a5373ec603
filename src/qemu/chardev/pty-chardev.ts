import { execFileSync } from "node:child_process";
import { closeSync, constants, openSync, readFileSync } from "node:fs";
import { ReadStream } from "node:tty";
import { QemuError } from "../qemu-error.ts";
import type { ChardevRecord, ChardevSurroundings } from "./chardev.ts";
import { PeerChardev } from "./peer-chardev.ts";
import { systemErrorText } from "./system-error-text.ts";

/** A pseudo terminal of its own, whose other end anybody may open by its name. QemuError. */
export function openPtyChardev({ id }: ChardevRecord, { stdout }: ChardevSurroundings): PtyChardev {
  const chardev = new PtyChardev(id, pseudoTerminal());
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

  protected async release(): Promise<void> {
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
