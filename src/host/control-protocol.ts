/**
 * The language of a host's control socket: one JSON object a line, both ways. `{"id":1,"request":{"do":"status"}}`
 * is answered by `{"id":1,"result":…}` or `{"id":1,"error":{"code":"EBUSY","message":…}}`, not always in the order of the requests.
 * After the request `{"do":"follow"}` every event of the host comes as a line `{"event":…}`, with `"types":[…]` those of these types.
 *
 * Whatever comes in may be hostile or cut off; the limits below are what keeps it from hurting.
 */

/** A line that never ends would fill the memory: beyond this the connection is closed. The longest honest request writes one page. */
export const maxRequestBytes = 64 * 1024;
/** A client that asks and never reads, or asks faster than the host works: no further line is taken until answers are out. */
export const maxRequestsUnderWay = 64;
/** A follower that does not read is cut off when this much waits for it. */
export const maxUnsentBytes = 16 * 1024 * 1024;
/** Connections at once: what is above is closed at once. */
export const maxConnections = 1024;

export interface ControlError {
  /** An errno's name; `bad-request`; `refused`: the request was understood and cannot be done; `internal`: a bug. */
  readonly code: string;
  readonly message: string;
}

export type ControlAnswer =
  | { readonly id: string | number | null; readonly result: unknown }
  | { readonly id: string | number | null; readonly error: ControlError };

/** A refusal that is no errno: the message says what to do next. */
export class Refusal extends Error {
  constructor(
    message: string,
    readonly code = "refused",
  ) {
    super(message);
    this.name = "Refusal";
  }
}

/** Everything else that has a `code` is an error of ours. */
const knownCodes = /^(E[A-Z0-9]+|bad-request|refused)$/;

/** What an error thrown by a command is on the wire. */
export function controlErrorOf(error: unknown): ControlError {
  if (error instanceof Error) {
    const { code } = error as { code?: unknown };
    if (typeof code === "string" && knownCodes.test(code)) return { code, message: error.message };
    return { code: "internal", message: error.message };
  }
  return { code: "internal", message: String(error) };
}

/** Cuts a stream of bytes into lines; `tooLong` once when a line passes the limit, and nothing after it. */
export class LineSplitter {
  #rest = "";
  #isBroken = false;
  readonly #decoder = new TextDecoder();

  constructor(
    private readonly maxBytes: number,
    private readonly onLine: (line: string) => void,
    private readonly tooLong: () => void,
  ) {}

  push(chunk: Uint8Array): void {
    if (this.#isBroken) return;
    this.#rest += this.#decoder.decode(chunk, { stream: true });
    for (let end = this.#rest.indexOf("\n"); end >= 0 && !this.#isBroken; end = this.#rest.indexOf("\n")) {
      const line = this.#rest.slice(0, end);
      this.#rest = this.#rest.slice(end + 1);
      if (line.length > this.maxBytes) this.#break();
      else if (line.trim() !== "") this.onLine(line);
    }
    if (this.#rest.length > this.maxBytes) this.#break();
  }

  #break(): void {
    this.#isBroken = true;
    this.#rest = "";
    this.tooLong();
  }
}
