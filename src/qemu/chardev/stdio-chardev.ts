import type { Readable, Writable } from "node:stream";
import { QemuError } from "../qemu-error.ts";
import type { ChardevFrontend, ChardevRecord, ChardevSurroundings } from "./chardev.ts";
import { PeerChardev } from "./peer-chardev.ts";

const usedInputs = new WeakSet<object>();

/** The terminal or pipe that the program was started with; there is one. QemuError. */
export function openStdioChardev(record: ChardevRecord, surroundings: ChardevSurroundings): StdioChardev {
  if (usedInputs.has(surroundings.stdin)) throw new QemuError("cannot use stdio by multiple character devices");
  usedInputs.add(surroundings.stdin);
  return new StdioChardev(record.id, surroundings);
}

export class StdioChardev extends PeerChardev {
  readonly filename = "stdio";
  readonly #surroundings: ChardevSurroundings;

  constructor(id: string, surroundings: ChardevSurroundings) {
    super(id);
    this.#surroundings = surroundings;
    // The line editor echoes; the terminal's own echo would double it.
    surroundings.stdin.setRawMode?.(true);
    // What a script wrote before there was a monitor waits for it.
    this.pause();
    this.connect({ input: surroundings.stdin as Readable, output: keptOpen(surroundings.stdout) });
  }

  override attach(frontend: ChardevFrontend): void {
    this.resume();
    super.attach(frontend);
  }

  protected async release(): Promise<void> {
    this.#surroundings.stdin.setRawMode?.(false);
    this.#surroundings.stdin.pause();
    usedInputs.delete(this.#surroundings.stdin);
  }
}

/** The end of the input is not the end of the output: stdout is the program's, not the character device's. */
function keptOpen(stdout: NodeJS.WritableStream): Writable {
  return new Proxy(stdout as Writable, {
    get: (stream, name) => {
      if (name === "end") return () => stream;
      const value: unknown = Reflect.get(stream, name, stream);
      return typeof value === "function" ? value.bind(stream) : value;
    },
  });
}
