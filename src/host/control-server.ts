import { chmodSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import * as v from "valibot";
import {
  type ControlAnswer,
  type ControlError,
  controlErrorOf,
  LineSplitter,
  maxConnections,
  maxRequestBytes,
  maxRequestsUnderWay,
  maxUnsentBytes,
} from "./control-protocol.ts";

/**
 * Serves the control socket of one host. The socket and its folder belong to one user; the kernel refuses everybody else at
 * connect(2). A bad line is answered with an error, a line without end closes its connection; neither touches the host.
 */
export interface ControlServer {
  /** Tells every follower. */
  publish(event: { readonly type: string }): void;
  close(): Promise<void>;
}

export type ControlRequest = Readonly<Record<string, unknown>> & { readonly do: string };

/** Answers a request; what it throws becomes the error of the answer. `closed` resolves when the connection it came by is gone. */
export type Answerer = (request: ControlRequest, closed: Promise<void>) => Promise<unknown>;

const lineSchema = v.object({
  id: v.optional(v.union([v.number(), v.pipe(v.string(), v.maxLength(200))])),
  request: v.looseObject({ do: v.pipe(v.string(), v.maxLength(100)) }),
});

const followSchema = v.object({ types: v.optional(v.pipe(v.array(v.string()), v.maxLength(100))) });

export async function serveControl(path: string, answer: Answerer): Promise<ControlServer> {
  const connections = new Set<Connection>();
  const server = createServer((socket) => {
    if (connections.size >= maxConnections) {
      socket.destroy();
      return;
    }
    const connection = new Connection(socket, answer, () => connections.delete(connection));
    connections.add(connection);
  });
  await listen(server, path);
  return {
    publish(event) {
      const line = `${JSON.stringify({ event })}\n`;
      for (const connection of connections) connection.tell(event.type, line);
    },
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const connection of connections) connection.end();
      await closed;
      rmSync(path, { force: true });
    },
  };
}

async function listen(server: Server, path: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, () => {
      server.off("error", reject);
      resolve();
    });
  });
  // The folder is closed to others already, so nobody can connect in between.
  chmodSync(path, 0o600);
}

class Connection {
  /** The types of events that it hears of; undefined while it follows none. */
  #follows: { readonly has: (type: string) => boolean } | undefined;
  #underWay = 0;
  readonly #waiting: string[] = [];
  readonly #closed: Promise<void>;

  constructor(
    private readonly socket: Socket,
    private readonly answer: Answerer,
    onClosed: () => void,
  ) {
    const lines = new LineSplitter(
      maxRequestBytes,
      (line) => this.#take(line),
      () => {
        this.#send({ id: null, error: { code: "bad-request", message: `a request has at most ${maxRequestBytes} bytes` } });
        socket.end();
      },
    );
    socket.on("data", (chunk) => lines.push(chunk as Buffer));
    socket.on("error", () => socket.destroy());
    this.#closed = new Promise((resolve) => {
      socket.on("close", () => {
        onClosed();
        resolve();
      });
    });
  }

  tell(type: string, line: string): void {
    if (!this.#follows?.has(type)) return;
    if (this.socket.writableLength > maxUnsentBytes) this.socket.destroy();
    else this.socket.write(line);
  }

  /** Sends what is waiting and closes; a client that does not read is not waited for. */
  end(): void {
    this.socket.end();
    setTimeout(() => this.socket.destroy(), 200).unref();
  }

  #take(line: string): void {
    if (this.#underWay < maxRequestsUnderWay) {
      this.#start(line);
      return;
    }
    this.#waiting.push(line);
    this.socket.pause();
  }

  #start(line: string): void {
    this.#underWay++;
    void this.#handle(line).finally(() => {
      this.#underWay--;
      const next = this.#waiting.shift();
      if (next !== undefined) this.#start(next);
      else this.socket.resume();
    });
  }

  async #handle(line: string): Promise<void> {
    const parsed = parseLine(line);
    if ("error" in parsed) {
      this.#send({ id: null, error: parsed.error });
      return;
    }
    const { id = null, request } = parsed;
    try {
      if (request.do === "follow") {
        this.#follow(id, request);
        return;
      }
      this.#send({ id, result: (await this.answer(request, this.#closed)) ?? null });
    } catch (error) {
      this.#send({ id, error: controlErrorOf(error) });
    }
  }

  #follow(id: string | number | null, request: ControlRequest): void {
    const parsed = v.safeParse(followSchema, request);
    if (!parsed.success) {
      this.#send({ id, error: { code: "bad-request", message: "types is a list of at most 100 types of events" } });
      return;
    }
    const { types } = parsed.output;
    this.#send({ id, result: true });
    this.#follows = types ? new Set(types) : { has: () => true };
  }

  #send(answer: ControlAnswer): void {
    if (!this.socket.destroyed && this.socket.writable) this.socket.write(`${JSON.stringify(answer)}\n`);
  }
}

function parseLine(line: string): v.InferOutput<typeof lineSchema> | { error: ControlError } {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return { error: { code: "bad-request", message: "a line is one JSON object" } };
  }
  const parsed = v.safeParse(lineSchema, value);
  if (parsed.success) return parsed.output;
  return { error: { code: "bad-request", message: 'a line is an object such as {"id":1,"request":{"do":"status"}}' } };
}
