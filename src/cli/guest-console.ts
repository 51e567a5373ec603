import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { connect, type Socket } from "node:net";

/** As of virsh console and telnet. */
export const escapeKeyName = "Ctrl-]";
const escapeKey = 0x1d;
/** About a screen of what was shown before. */
const recentBytes = 2048;
/** How long the guest may be silent after the end of an input that is no terminal. */
const quietMs = 1000;

/** A connection to a guest's console. Several at once: QEMU lets one in, the others wait. */
export class GuestConsole {
  private constructor(
    private readonly socket: Socket,
    private readonly recent: string,
  ) {}

  /** Undefined where there is none. */
  static open(socketPath: string, logPath: string): Promise<GuestConsole | undefined> {
    return new Promise((resolve) => {
      const socket = connect(socketPath);
      socket.once("error", () => resolve(undefined));
      socket.once("connect", () => resolve(new GuestConsole(socket, recentText(logPath))));
    });
  }

  /** Until the escape key, the end of the guest, or the end of an input that is no terminal. */
  async talk(input: NodeJS.ReadStream, output: NodeJS.WriteStream): Promise<void> {
    const { socket } = this;
    const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    output.write(this.recent);
    socket.on("data", (bytes) => output.write(bytes));
    input.setRawMode?.(true);
    input.on("data", (bytes: Buffer) => {
      const end = input.isTTY ? bytes.indexOf(escapeKey) : -1;
      socket.write(end < 0 ? bytes : bytes.subarray(0, end));
      if (end >= 0) socket.end();
    });
    input.once("end", () => this.#endWhenQuiet());
    await closed;
    input.setRawMode?.(false);
    input.destroy();
    output.write("\r\n");
  }

  #endWhenQuiet(): void {
    let timer = setTimeout(() => this.socket.end(), quietMs);
    this.socket.on("data", () => {
      clearTimeout(timer);
      timer = setTimeout(() => this.socket.end(), quietMs);
    });
  }
}

function recentText(path: string): string {
  try {
    const file = openSync(path, "r");
    try {
      const { size } = fstatSync(file);
      const bytes = Buffer.alloc(Math.min(size, recentBytes));
      readSync(file, bytes, 0, bytes.length, size - bytes.length);
      const text = bytes.toString();
      return size > recentBytes ? text.slice(text.indexOf("\n") + 1) : text;
    } finally {
      closeSync(file);
    }
  } catch {
    return "";
  }
}
