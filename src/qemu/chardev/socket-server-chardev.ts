import { unlinkSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { QemuError } from "../qemu-error.ts";
import { bindProblem } from "./bind-problem.ts";
import type { ChardevRecord, ChardevSurroundings } from "./chardev.ts";
import { PeerChardev } from "./peer-chardev.ts";
import { removeForeignSocketFile } from "./remove-foreign-socket-file.ts";
import { connectionOptions, type SocketAddress, socketAddressOf, socketAddressText } from "./socket-address.ts";

/** Clients that wait for their turn: stops somebody from using up the descriptors of this process by connecting and connecting. */
const MAX_WAITING_CLIENTS = 16;

/** Listens; with `wait=on`, QEMU's default, only a first client lets the program go on. QemuError. */
export async function openSocketServer(record: ChardevRecord, surroundings: ChardevSurroundings): Promise<SocketServerChardev> {
  const address = socketAddressOf(record);
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true });
  const chardev = new SocketServerChardev(record.id, address, server);
  await listen(server, address);
  if (record.options.get("wait") !== "off") {
    surroundings.report(`info: QEMU waiting for connection on: ${chardev.filename}`);
    await chardev.firstClient;
  }
  return chardev;
}

/**
 * A socket that clients come to. One is heard at a time, as in QEMU; the next waits, connected and unanswered, until the one before has gone.
 */
export class SocketServerChardev extends PeerChardev {
  readonly #address: SocketAddress;
  readonly #server: Server;
  readonly #waiting: Socket[] = [];
  #client: Socket | undefined;
  readonly firstClient: Promise<void>;

  constructor(id: string, address: SocketAddress, server: Server) {
    super(id);
    this.#address = address;
    this.#server = server;
    this.firstClient = new Promise((resolve) => server.once("connection", () => resolve()));
    server.on("connection", (socket) => this.#accept(socket));
    // A client that is gone before it was accepted is nobody's error.
    server.on("error", () => {});
  }

  get filename(): string {
    const own = `${socketAddressText(this.#address)},server=on`;
    if (!this.#client) return `disconnected:${own}`;
    const { remoteAddress, remotePort } = this.#client;
    return remoteAddress === undefined ? own : `${own} <-> ${remoteAddress}:${remotePort}`;
  }

  protected override disconnected(): void {
    this.#client = undefined;
    this.#next();
  }

  protected async release(): Promise<void> {
    for (const socket of this.#waiting.splice(0)) socket.destroy();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    // A client that does not take its last answer must not hold the end up.
    const client = this.#client;
    this.disconnect();
    client?.destroySoon();
    client?.unref();
    this.#server.unref();
    if (!client) await closed;
    removeSocketFile(this.#address);
  }

  #accept(socket: Socket): void {
    if (this.#waiting.length >= MAX_WAITING_CLIENTS) {
      socket.destroy();
      return;
    }
    socket.on("error", () => {});
    this.#waiting.push(socket);
    if (!this.#client) this.#next();
  }

  #next(): void {
    const socket = this.#waiting.shift();
    if (!socket) return;
    this.#client = socket;
    this.connect({ input: socket, output: socket });
    socket.resume();
  }
}

async function listen(server: Server, address: SocketAddress): Promise<void> {
  if (address.type === "unix" && !address.isAbstract) removeForeignSocketFile(address.path);
  const options = await connectionOptions(address);
  await new Promise<void>((resolve, reject) => {
    const refuse = (error: unknown): void => reject(new QemuError(bindProblem(address, error)));
    server.once("error", refuse);
    server.listen({ ...options, backlog: MAX_WAITING_CLIENTS }, () => {
      server.off("error", refuse);
      resolve();
    });
  });
}

function removeSocketFile(address: SocketAddress): void {
  if (address.type !== "unix" || address.isAbstract) return;
  try {
    unlinkSync(address.path);
  } catch {}
}
