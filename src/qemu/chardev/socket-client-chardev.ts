import { Socket } from "node:net";
import { QemuError } from "../qemu-error.ts";
import type { ChardevRecord, ChardevSurroundings } from "./chardev.ts";
import { PeerChardev } from "./peer-chardev.ts";
import { connectionOptions, type SocketAddress, socketAddressOf, socketAddressText } from "./socket-address.ts";
import { systemErrorText } from "./system-error-text.ts";

/** Connects; without `reconnect` a refusal is final. QemuError. */
export async function openSocketClient(record: ChardevRecord, surroundings: ChardevSurroundings): Promise<SocketClientChardev> {
  const chardev = new SocketClientChardev(record.id, socketAddressOf(record), reconnectMs(record), surroundings);
  await chardev.begin();
  return chardev;
}

/** A socket that goes to a server, and with `reconnect` goes there again. */
export class SocketClientChardev extends PeerChardev {
  readonly #address: SocketAddress;
  readonly #reconnectMs: number;
  readonly #surroundings: ChardevSurroundings;
  #socket: Socket | undefined;
  #forgetRetry: (() => void) | undefined;
  #isClosed = false;

  constructor(id: string, address: SocketAddress, reconnectMs: number, surroundings: ChardevSurroundings) {
    super(id);
    this.#address = address;
    this.#reconnectMs = reconnectMs;
    this.#surroundings = surroundings;
  }

  get filename(): string {
    if (!this.isConnected || !this.#socket) return `disconnected:${socketAddressText(this.#address)}`;
    const { localAddress, localPort, remoteAddress, remotePort } = this.#socket;
    return remoteAddress === undefined ? "unix:" : `tcp:${localAddress}:${localPort} <-> ${remoteAddress}:${remotePort}`;
  }

  async begin(): Promise<void> {
    try {
      await this.#connect();
    } catch (error) {
      if (this.#reconnectMs === 0) throw error;
      this.#retryLater(error);
    }
  }

  protected override disconnected(): void {
    this.#socket = undefined;
    if (this.#reconnectMs > 0) this.#retryLater();
  }

  protected async release(): Promise<void> {
    this.#isClosed = true;
    this.#forgetRetry?.();
    const socket = this.#socket;
    this.disconnect();
    socket?.unref();
  }

  async #connect(): Promise<void> {
    const options = await connectionOptions(this.#address);
    const socket = "fd" in options ? new Socket({ fd: options.fd, allowHalfOpen: true }) : new Socket({ allowHalfOpen: true });
    if (!("fd" in options)) await this.#reach(socket, options);
    if (this.#isClosed) {
      socket.destroy();
      return;
    }
    this.#socket = socket;
    this.connect({ input: socket, output: socket });
  }

  #reach(socket: Socket, options: { path: string } | { host: string; port: number }): Promise<void> {
    return new Promise((resolve, reject) => {
      const place = this.#address.type === "inet" ? `${this.#address.host}:${this.#address.port}` : "path" in options ? options.path : "";
      const refuse = (error: unknown): void => reject(new QemuError(`Failed to connect to '${place}': ${systemErrorText(error)}`));
      socket.once("error", refuse);
      socket.connect(options, () => {
        socket.off("error", refuse);
        resolve();
      });
    });
  }

  #retryLater(error?: unknown): void {
    if (this.#isClosed) return;
    if (error instanceof QemuError) this.#surroundings.report(`Unable to connect character device ${this.id}: ${error.message}`);
    this.#forgetRetry = this.#surroundings.after(this.#reconnectMs, () => {
      this.#connect().catch(() => this.#retryLater());
    });
  }
}

function reconnectMs({ options }: ChardevRecord): number {
  const milliseconds = options.get("reconnect-ms");
  return milliseconds === undefined ? 1000 * Number(options.get("reconnect") ?? 0) : Number(milliseconds);
}
