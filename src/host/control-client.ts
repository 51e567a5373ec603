import { connect, type Socket } from "node:net";
import type { ControlAnswer, ControlError } from "./control-protocol.ts";

/** An answer that says no; `code` is an errno's name or one of ControlError's words. */
export class ControlRefusal extends Error {
  readonly code: string;
  /** What was asked about: a path, a module, an adapter; undefined for the host as a whole. */
  readonly subject: string | undefined;

  constructor({ code, message }: ControlError, subject?: string) {
    super(message);
    this.name = "ControlRefusal";
    this.code = code;
    this.subject = subject;
  }
}

/** A connection to the control socket of one host. */
export interface ControlClient {
  request(command: Readonly<Record<string, unknown>> & { readonly do: string }): Promise<unknown>;
  /** Calls back for every event of these types from now on; without `types` for all. */
  follow(onEvent: (event: Readonly<Record<string, unknown>>) => void, types?: readonly string[]): Promise<void>;
  /** When the other side closed, or `close` was called. */
  readonly closed: Promise<void>;
  close(): void;
}

/** Rejects with ECONNREFUSED or ENOENT where no host listens, EACCES where it is somebody else's. */
export async function connectControl(path: string): Promise<ControlClient> {
  const socket = await new Promise<Socket>((resolve, reject) => {
    const opening = connect(path);
    opening.once("error", reject);
    opening.once("connect", () => {
      opening.off("error", reject);
      resolve(opening);
    });
  });
  return new SocketClient(socket);
}

interface Pending {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly subject: string | undefined;
}

class SocketClient implements ControlClient {
  readonly closed: Promise<void>;
  #nextId = 1;
  #rest = "";
  readonly #pending = new Map<number, Pending>();
  #onEvent: ((event: Readonly<Record<string, unknown>>) => void) | undefined;

  constructor(private readonly socket: Socket) {
    socket.setEncoding("utf8");
    socket.on("data", (chunk) => this.#take(String(chunk)));
    socket.on("error", () => socket.destroy());
    this.closed = new Promise((resolve) => {
      socket.on("close", () => {
        for (const { reject } of this.#pending.values()) reject(new Error("the host closed the connection before it answered"));
        this.#pending.clear();
        resolve();
      });
    });
  }

  request(command: Readonly<Record<string, unknown>> & { readonly do: string }): Promise<unknown> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      if (this.socket.destroyed) {
        reject(new Error("the host closed the connection"));
        return;
      }
      this.#pending.set(id, { resolve, reject, subject: subjectOf(command) });
      this.socket.write(`${JSON.stringify({ id, request: command })}\n`);
    });
  }

  async follow(onEvent: (event: Readonly<Record<string, unknown>>) => void, types?: readonly string[]): Promise<void> {
    this.#onEvent = onEvent;
    await this.request({ do: "follow", ...(types && { types }) });
  }

  close(): void {
    this.socket.end();
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) {
      const message = JSON.parse(line) as ControlAnswer | { readonly event: Readonly<Record<string, unknown>> };
      if ("event" in message) this.#onEvent?.(message.event);
      else this.#settle(message);
    }
  }

  #settle(answer: ControlAnswer): void {
    const pending = typeof answer.id === "number" ? this.#pending.get(answer.id) : undefined;
    if (!pending) return;
    this.#pending.delete(answer.id as number);
    if ("error" in answer) pending.reject(new ControlRefusal(answer.error, pending.subject));
    else pending.resolve(answer.result);
  }
}

function subjectOf({ path, name, action, id }: Readonly<Record<string, unknown>>): string | undefined {
  if (typeof path === "string") return path;
  if (typeof name === "string") return name;
  return typeof action === "string" ? [action, id].filter((word) => word !== undefined).join(" ") : undefined;
}
