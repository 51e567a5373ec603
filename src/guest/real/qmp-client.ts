import { connect, type Socket } from "node:net";
import type { StockMonitor } from "../../qemu/guest-port.ts";
import { QemuError, type QemuErrorClass } from "../../qemu/qemu-error.ts";

/** A line of QMP that a stock QEMU sends is far below this; more is no QMP. */
const maxLineBytes = 64 * 2 ** 20;

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

type Event = { readonly event: string; readonly data?: Readonly<Record<string, unknown>> };

/** A client of a stock QEMU's QMP monitor. */
export class QmpClient implements StockMonitor {
  readonly closed: Promise<void>;
  readonly #pending = new Map<number, Pending>();
  #listener: ((event: Event) => void) | undefined;
  #watchers: ((event: Event) => void)[] = [];
  #lastId = 0;
  #rest = "";

  private constructor(private readonly socket: Socket) {
    socket.setEncoding("utf8");
    socket.on("data", (text: string) => this.#take(text));
    this.closed = new Promise((resolve) => {
      socket.on("error", () => {});
      socket.on("close", () => {
        for (const { reject } of this.#pending.values()) reject(new QemuError("the QEMU that runs this guest is gone"));
        this.#pending.clear();
        resolve();
      });
    });
  }

  /** Rejects with ENOENT or ECONNREFUSED where nobody listens. */
  static async connect(path: string): Promise<QmpClient> {
    const socket = await new Promise<Socket>((resolve, reject) => {
      const connecting = connect(path);
      connecting.once("error", reject);
      connecting.once("connect", () => {
        connecting.off("error", reject);
        resolve(connecting);
      });
    });
    const client = new QmpClient(socket);
    await client.execute("qmp_capabilities", {});
    return client;
  }

  execute(command: string, values: Readonly<Record<string, unknown>>): Promise<unknown> {
    if (this.socket.destroyed) return Promise.reject(new QemuError("the QEMU that runs this guest is gone"));
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.socket.write(`${JSON.stringify({ execute: command, arguments: values, id })}\n`);
    });
  }

  onEvent(listener: (event: Event) => void): void {
    this.#listener = listener;
  }

  /** Hears of every event, too. */
  watch(watcher: (event: Event) => void): void {
    this.#watchers.push(watcher);
  }

  close(): void {
    this.socket.destroy();
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    if (this.#rest.length > maxLineBytes) this.socket.destroy();
    for (const line of lines) if (line.trim() !== "") this.#message(line);
  }

  #message(line: string): void {
    const message = parsed(line);
    if (typeof message.event === "string") {
      const event = { event: message.event, ...(isObject(message.data) && { data: message.data }) };
      for (const watcher of this.#watchers) watcher(event);
      this.#listener?.(event);
      return;
    }
    const pending = this.#pending.get(Number(message.id));
    if (!pending) return;
    this.#pending.delete(Number(message.id));
    const { error } = message;
    if (isObject(error)) pending.reject(new QemuError(String(error.desc), error.class as QemuErrorClass));
    else pending.resolve(message.return);
  }
}

type Message = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Message => typeof value === "object" && value !== null && !Array.isArray(value);

function parsed(line: string): Message {
  try {
    const value: unknown = JSON.parse(line);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}
