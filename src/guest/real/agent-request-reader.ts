import { maxInputBytes, maxScriptBytes } from "./agent-protocol.ts";

/** A request to an agent with all of its bytes. */
export interface AgentRequest {
  readonly verb: "hello" | "run" | "input" | "close" | "signal";
  /** A job's, or the nonce of `hello`. */
  readonly name: string;
  /** As they came. */
  readonly bytes: Buffer;
}

/** Takes a caller's bytes as they come and gives the requests that are whole. Throws an Error for what is none, and is then of no more use. */
export class AgentRequestReader {
  #rest = Buffer.alloc(0);

  *push(bytes: Uint8Array): Generator<AgentRequest> {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    for (;;) {
      const end = this.#rest.indexOf(newline);
      if (end < 0 && this.#rest.length > maxHeadBytes) throw new Error("a request to an agent has no end");
      if (end < 0) return;
      const { verb, name, length } = readHead(this.#rest.toString("latin1", 0, end));
      const total = end + 1 + length;
      if (this.#rest.length < total) return;
      yield { verb, name, bytes: this.#rest.subarray(0, total) };
      this.#rest = this.#rest.subarray(total);
    }
  }
}

const newline = 0x0a;
/** Verb, job and a length. */
const maxHeadBytes = 128;
/** A job's name as the agent takes it, which makes a folder of it. */
const name = "([0-9a-z][0-9a-z-]{0,39})";
/** What has no length that the agent can take would make it read the bytes behind as lines. */
const headPattern = new RegExp(
  `^(?:(hello|close) ${name}|(signal) ${name} [A-Z0-9]{1,8}|(run) ${name} (?:input|none) ([1-9]\\d{0,6})|(input) ${name} ([1-9]\\d{0,6}))$`,
);

function readHead(line: string): { verb: AgentRequest["verb"]; name: string; length: number } {
  const match = headPattern.exec(line);
  if (!match) throw new Error(`${JSON.stringify(line.slice(0, 80))} is no request to an agent`);
  const [verb, job, length = "0"] = match.slice(1).filter((part) => part !== undefined);
  if (Number(length) > (verb === "run" ? maxScriptBytes : maxInputBytes)) throw new Error(`${length} bytes are too many for ${verb}`);
  return { verb: verb as AgentRequest["verb"], name: job ?? "", length: Number(length) };
}
