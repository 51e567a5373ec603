import { connect, type Socket } from "node:net";
import { encodePacket, PacketReader, type StubInput } from "./packet.ts";

/** Why and where the machine stopped: the number of the thread (a processor) that stopped, and the signal. */
export interface Stop {
  readonly signal: number;
  readonly thread: string;
}

export const Signal = { interrupt: 2, trap: 5 } as const;

interface Request {
  readonly resolve: (reply: string) => void;
  readonly reject: (error: Error) => void;
}

/** The acknowledgement makes the stub look at the byte behind it. */
const interruptBytes = "+\x03";
const stopPattern = /^T([0-9a-f]{2})(?:.*?thread:([0-9a-f.p-]+);)?|^S([0-9a-f]{2})$/;
const exitPattern = /^[WX]/;

/**
 * A connection to QEMU's gdb stub. Requests may follow each other before the first is answered: the stub takes them in turn, `resume` too.
 * While the machine runs there are none, only `interrupt` and the stop that comes. Replies are not acknowledged: the stub takes the next
 * request for that, and an acknowledgement that reaches it while the machine runs would stop the machine.
 */
export class GdbClient {
  readonly closed: Promise<void>;
  #pending: Request[] = [];
  #isRunning = false;
  #isClosed = false;

  private constructor(
    private readonly socket: Socket,
    private readonly onStop: (stop: Stop) => void,
  ) {
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
        for (const { reject } of this.#pending.splice(0)) reject(new Error("the gdb stub is gone"));
        resolve();
      });
    });
  }

  /** Rejects with ENOENT or ECONNREFUSED where no stub listens. */
  static connect(path: string, onStop: (stop: Stop) => void): Promise<GdbClient> {
    return new Promise((resolve, reject) => {
      const socket = connect(path);
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.off("error", reject);
        resolve(new GdbClient(socket, onStop));
      });
    });
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  close(): void {
    this.socket.destroy();
  }

  /** The stub's reply to a packet while the machine stands. Rejects with an Error when the stub is gone. */
  request(text: string): Promise<string> {
    if (this.#isClosed) return Promise.reject(new Error("the gdb stub is gone"));
    if (this.#isRunning) return Promise.reject(new Error(`${text}: the machine runs`));
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

  /** Lets all processors run; the next stop is told to `onStop`. */
  resume(): void {
    this.#isRunning = true;
    this.socket.write(encodePacket("vCont;c"));
  }

  /** Lets one processor do one instruction; resolves when it stands again. */
  async step(thread: string): Promise<void> {
    await this.request(`vCont;s:${thread}`);
  }

  /** Asks a running machine to stop; the stop comes as any other. */
  interrupt(): void {
    if (this.#isRunning) this.socket.write(interruptBytes);
  }

  #take(input: StubInput): void {
    if (input === "accepted") return;
    // Over a socket nothing is lost or altered: a stub that says so speaks another protocol.
    if (input === "refused" || input === "damaged") throw new Error(`a packet is ${input}`);
    const { packet } = input;
    if (exitPattern.test(packet)) return void this.socket.end();
    const request = this.#pending.shift();
    if (request) return request.resolve(packet);
    const stop = this.#isRunning ? readStop(packet) : undefined;
    if (!stop) return;
    this.#isRunning = false;
    this.onStop(stop);
  }
}

/** Undefined for what is no stop, such as console output. */
function readStop(packet: string): Stop | undefined {
  const match = stopPattern.exec(packet);
  return match ? { signal: Number.parseInt(match[1] ?? match[3] ?? "0", 16), thread: match[2] ?? "1" } : undefined;
}
