import { connect, type Socket } from "node:net";
import { encodePacket, PacketReader, type StubInput } from "./packet.ts";

interface Request {
  readonly resolve: (reply: string) => void;
  readonly reject: (error: Error) => void;
}

/**
 * A connection to QEMU's gdb stub. Requests may follow each other before the first is answered: the stub takes them in turn. Replies are not
 * acknowledged, the next request is enough for the stub.
 */
export class GdbClient {
  readonly closed: Promise<void>;
  readonly #pending: Request[] = [];
  #isClosed = false;

  private constructor(private readonly socket: Socket) {
    const reader = new PacketReader();
    socket.on("data", (bytes) => {
      try {
        for (const input of reader.take(bytes)) this.#take(input);
      } catch (error) {
        socket.destroy(error as Error);
      }
    });
    this.closed = new Promise((resolve) => {
      socket.on("error", () => {});
      socket.on("close", () => {
        this.#isClosed = true;
        for (const { reject } of this.#pending.splice(0)) reject(gone());
        resolve();
      });
    });
  }

  /** Rejects with ENOENT or ECONNREFUSED where no stub listens. */
  static connect(path: string): Promise<GdbClient> {
    return new Promise((resolve, reject) => {
      const socket = connect(path);
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.off("error", reject);
        resolve(new GdbClient(socket));
      });
    });
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  close(): void {
    this.socket.destroy();
  }

  /** The stub's reply to a packet. Rejects with an Error when the stub is gone. */
  request(text: string): Promise<string> {
    if (this.#isClosed) return Promise.reject(gone());
    return new Promise((resolve, reject) => {
      this.#pending.push({ resolve, reject });
      this.socket.write(encodePacket(text));
    });
  }

  /** A request whose reply must be OK. */
  async command(text: string): Promise<void> {
    const reply = await this.request(text);
    if (reply !== "OK") throw new Error(`the gdb stub answers ${JSON.stringify(reply)} to ${text}`);
  }

  /** Bytes as they are, in one piece, to which the stub will reply so many times; the replies are of no interest. */
  send(bytes: string, replies = 0): void {
    if (this.#isClosed) return;
    for (let count = 0; count < replies; count++) this.#pending.push({ resolve: () => {}, reject: () => {} });
    this.socket.write(bytes);
  }

  #take(input: StubInput): void {
    if (input === "accepted") return;
    // Over a socket nothing is lost or altered: a stub that says so speaks another protocol.
    if (input === "refused" || input === "damaged") throw new Error(`a packet is ${input}`);
    this.#pending.shift()?.resolve(input.packet);
  }
}

const gone = (): Error => new Error("the gdb stub is gone");
