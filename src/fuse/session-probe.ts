import { type AttributeTable, attributeTable, constant, readOnly, readWrite, writeOnly } from "../sysfs/attribute.ts";
import { Directory } from "../sysfs/node.ts";
import { opcode, openOut, outHeader } from "./abi.ts";
import type { Channel } from "./channel.ts";
import { dispatch } from "./handlers.ts";
import { forEachMessage } from "./messages.ts";
import type { Reply } from "./reply.ts";
import { requestBytes } from "./request-bytes.ts";
import { Session } from "./session.ts";

/** A session over a small tree whose replies are kept instead of sent: for tests. */
export interface Answer {
  readonly unique: number;
  readonly errno: number;
  readonly body: Buffer;
  /** Left at once, or with the end of its input. */
  readonly order: "at once" | "at end";
}

export class SessionProbe implements Channel {
  readonly root = new Directory("");
  readonly device = new Directory("device");
  readonly session: Session;
  readonly answers: Answer[] = [];
  readonly faults: unknown[] = [];
  readonly wakeUps: number[] = [];
  /** Nesting of inputs: 0 between them. */
  depth = 0;
  text = "one\n";
  #unique = 2;

  constructor(table: AttributeTable<undefined> | undefined = undefined) {
    this.root.addDirectory(this.device);
    this.root.addLink("link", this.device);
    this.device.attach(table ?? this.#table(), undefined);
    this.session = new Session(this.root, this);
  }

  /** Sends a request and returns its answer, undefined if there was none yet. */
  ask(code: number, nodeId: number, fields: Parameters<typeof requestBytes>[2] = []): Answer | undefined {
    this.#unique += 2;
    const unique = this.#unique;
    this.deliver(requestBytes(code, nodeId, fields, unique));
    return this.answers.find((answer) => answer.unique === unique);
  }

  get lastUnique(): number {
    return this.#unique;
  }

  deliver(bytes: Uint8Array): void {
    const { request } = this.session;
    request.bytes.set(bytes.subarray(0, request.bytes.length));
    dispatch(this.session, bytes.length);
  }

  /** The node number behind a path, as the kernel walks it. */
  lookup(...names: string[]): number {
    let nodeId = 1;
    for (const name of names) nodeId = this.ask(opcode.lookup, nodeId, [name])?.body.readUInt32LE(0) ?? 0;
    return nodeId;
  }

  /** The handle and flags of an open. */
  open(nodeId: number, flags: number): { errno: number; handle: number; flags: number } {
    const answer = this.ask(opcode.open, nodeId, [
      [4, flags],
      [4, 0],
    ]);
    if (answer?.errno !== 0) return { errno: answer?.errno ?? -1, handle: 0, flags: 0 };
    return { errno: 0, handle: answer.body.readUInt32LE(openOut.at.fh), flags: answer.body.readUInt32LE(openOut.at.openFlags) };
  }

  read(handle: number, offset: number, size = 4096): Answer | undefined {
    return this.ask(opcode.read, 0, [
      [8, handle],
      [8, offset],
      [4, size],
      [4, 0],
      [8, 0],
      [8, 0],
    ]);
  }

  write(handle: number, offset: number, text: string): Answer | undefined {
    this.#unique += 2;
    const bytes = requestBytes(
      opcode.write,
      0,
      [
        [8, handle],
        [8, offset],
        [4, text.length],
        [4, 0],
        [8, 0],
        [8, 0],
      ],
      this.#unique,
    );
    const whole = Buffer.concat([bytes, Buffer.from(text, "latin1")]);
    whole.writeUInt32LE(whole.length, 0);
    this.deliver(whole);
    return this.answers.find((answer) => answer.unique === this.#unique);
  }

  /** The codes and first words of the invalidations since the last call. */
  takeInvalidations(): string[] {
    const names = new Map([
      [2, "inode"],
      [3, "entry"],
    ]);
    const taken: string[] = [];
    forEachMessage(this.session.invalidations.messages.take(), (message) => {
      const bytes = Buffer.from(message);
      const code = bytes.readInt32LE(4);
      const name = code === 3 ? ` ${bytes.toString("latin1", outHeader.bytes + 16, bytes.length - 1)}` : "";
      taken.push(`${names.get(code)} ${bytes.readUInt32LE(outHeader.bytes)}${name}`);
    });
    return taken;
  }

  send(reply: Reply): void {
    this.#keep(reply, "at once");
  }

  sendAtEnd(reply: Reply): void {
    this.#keep(reply, "at end");
  }

  beginInput(): void {
    this.depth++;
  }

  endInput(reply: Reply | undefined): void {
    this.depth--;
    if (reply) this.#keep(reply, "at end");
  }

  woken(unique: number): void {
    this.wakeUps.push(unique);
  }

  fault(error: unknown): void {
    this.faults.push(error);
  }

  #keep(reply: Reply, order: Answer["order"]): void {
    const bytes = Buffer.from(reply.bytes.subarray(0, reply.length));
    const [length, error] = [bytes.readUInt32LE(0), bytes.readInt32LE(4)];
    if (length !== bytes.length || error > 0 || error <= -512) throw new Error("a reply that the kernel would refuse");
    this.answers.push({ unique: bytes.readUInt32LE(8), errno: Math.abs(error), body: bytes.subarray(outHeader.bytes), order });
  }

  #table(): AttributeTable<undefined> {
    return attributeTable<undefined>(
      constant("constant", () => this.text),
      readOnly("varying", () => this.text),
      readWrite(
        "value",
        () => this.text,
        (_, text) => {
          this.text = text;
          this.device.changed("constant");
        },
      ),
      writeOnly("trigger", () => {}),
    );
  }
}
