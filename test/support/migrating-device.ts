import { Errno } from "../../src/sysfs/errno.ts";
import { Wait } from "../../src/sysfs/wait.ts";
import type { TestHost } from "./test-host.ts";

/** The vfio-ap device of a guest, as an emulator migrates it: by the commands of its host. Every answer is a value, as a TestHost's. */
export class MigratingDevice {
  constructor(
    private readonly host: TestHost,
    private readonly guest = "guest1",
  ) {}

  /** `done` or the name of an errno. */
  setState(state: "error" | "stop" | "running" | "stop-copy" | "resuming"): string {
    return this.host.run(() => this.#ask("device-state", { state }));
  }

  read(maxBytes = 4096): Buffer | string {
    try {
      const answer = this.#ask("device-read", { maxBytes });
      return Buffer.from((answer instanceof Wait ? this.host.ended(answer, "device-read") : answer) as string, "base64");
    } catch (error) {
      if (error instanceof Errno) return error.code;
      throw error;
    }
  }

  /** All that a source sends, from the state in which it does. Throws an errno. */
  readAll(maxBytes = 4096): Buffer {
    const pieces: Buffer[] = [];
    for (;;) {
      const piece = this.read(maxBytes);
      if (typeof piece === "string") throw new Errno(piece as Errno["code"]);
      if (piece.length === 0) return Buffer.concat(pieces);
      pieces.push(piece);
    }
  }

  write(bytes: Uint8Array): string {
    return this.host.run(() => this.writeLater(bytes));
  }

  /** The answers to all pieces up to the first refusal; `done` if there is none. */
  writeInPieces(bytes: Uint8Array, pieceBytes: number): string {
    for (let start = 0; start < bytes.length; start += pieceBytes) {
      const answer = this.write(bytes.subarray(start, start + pieceBytes));
      if (answer !== "done") return answer;
    }
    return "done";
  }

  /** A write as it starts: what may still sleep. */
  writeLater(bytes: Uint8Array): unknown {
    return this.#ask("device-write", { bytes: Buffer.from(bytes).toString("base64") });
  }

  /** What the source sends when it stands. */
  save(): Buffer {
    const answer = this.setState("stop-copy");
    if (answer !== "done") throw new Errno(answer as Errno["code"]);
    return this.readAll();
  }

  /** Takes data in one write, and runs; the first refusal. */
  load(bytes: Uint8Array): string {
    const steps = [() => this.setState("resuming"), () => this.write(bytes), () => this.setState("running")];
    for (const step of steps) {
      const answer = step();
      if (answer !== "done") return answer;
    }
    return "done";
  }

  #ask(action: string, parameters: Readonly<Record<string, unknown>>): unknown {
    return this.host.host.command({ do: "guest", action, guest: this.guest, ...parameters });
  }
}
