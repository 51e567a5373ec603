import { once } from "node:events";
import { createConnection, type Socket } from "node:net";

export type QmpMessage = Readonly<Record<string, unknown>>;

/** A client of a QMP socket that reads line by line. */
export class QmpClient {
  readonly received: QmpMessage[] = [];
  #rest = "";
  #onMessage: () => void = () => {};
  #isClosed = false;

  private constructor(private readonly socket: Socket) {
    socket.on("error", () => {});
    socket.on("close", () => {
      this.#isClosed = true;
      this.#onMessage();
    });
    socket.on("data", (chunk) => {
      const lines = (this.#rest + String(chunk)).split("\n");
      this.#rest = lines.pop() ?? "";
      for (const line of lines) this.received.push(JSON.parse(line) as QmpMessage);
      this.#onMessage();
    });
  }

  /** Negotiated already. */
  static async connect(path: string): Promise<QmpClient> {
    const socket = createConnection(path);
    const client = new QmpClient(socket);
    await once(socket, "connect");
    await client.next((message) => "QMP" in message);
    await client.execute("qmp_capabilities");
    return client;
  }

  send(bytes: string | Uint8Array): void {
    this.socket.write(bytes);
  }

  /** The answer: what it returns, or the error. */
  async execute(command: string, args?: QmpMessage): Promise<QmpMessage> {
    this.send(JSON.stringify({ execute: command, ...(args && { arguments: args }) }));
    return this.next((message) => "return" in message || "error" in message);
  }

  /** An event with its data; one that came before this is called counts too, once. */
  async event(name: string): Promise<unknown> {
    return (await this.next((message) => message.event === name)).data;
  }

  /** Takes the first message that fits, and those before it stay. */
  async next(fits: (message: QmpMessage) => boolean): Promise<QmpMessage> {
    for (;;) {
      const index = this.received.findIndex(fits);
      const [message] = index < 0 ? [] : this.received.splice(index, 1);
      if (message) return message;
      if (this.#isClosed) throw new Error(`the monitor closed the connection after ${JSON.stringify(this.received)}`);
      await new Promise<void>((resolve) => {
        this.#onMessage = resolve;
      });
    }
  }

  disconnect(): void {
    this.socket.destroy();
  }
}
