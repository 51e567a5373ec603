import { createServer, type Server, type Socket } from "node:net";
import { encodePacket } from "./packet.ts";

/** The reply to a packet; undefined: none. */
export type StubAnswer = (packet: string) => string | undefined;

/** A stub on a socket that takes one client and writes down what comes. For tests. */
export class ToyStub {
  /** Packets and answers of the client in their order. */
  readonly inputs: string[] = [];
  /** Bytes as they came. */
  readonly pieces: string[] = [];
  /** Behind each piece that came. */
  onPiece: () => void = () => {};
  onAnswer: (answer: "+" | "-") => void = () => {};
  #client: Socket | undefined;
  #waiting: (() => void)[] = [];

  private constructor(
    readonly path: string,
    private readonly server: Server,
    private readonly answer: StubAnswer,
  ) {}

  static async listen(path: string, answer: StubAnswer): Promise<ToyStub> {
    const server = createServer();
    const stub = new ToyStub(path, server, answer);
    server.on("connection", (client) => stub.#welcome(client));
    await new Promise<void>((resolve) => server.listen(path, resolve));
    return stub;
  }

  say(bytes: string): void {
    this.#client?.write(bytes, "latin1");
  }

  reply(text: string): void {
    this.say(encodePacket(text));
  }

  /** Resolves when what came is so. */
  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  hangUp(): void {
    this.#client?.destroy();
  }

  close(): void {
    this.hangUp();
    this.server.close();
  }

  #welcome(client: Socket): void {
    this.#client = client;
    client.setEncoding("latin1");
    client.on("error", () => {});
    client.on("data", (text: string) => {
      this.pieces.push(text);
      for (const [input, packet] of text.matchAll(/[+-]|\$([^#]*)#../g)) {
        this.inputs.push(packet ?? input);
        if (packet === undefined) this.onAnswer(input as "+" | "-");
        else this.#take(packet);
      }
      this.onPiece();
      for (const resolve of this.#waiting.splice(0)) resolve();
    });
  }

  #take(packet: string): void {
    this.say("+");
    const reply = this.answer(packet);
    if (reply !== undefined) this.reply(reply);
  }
}
