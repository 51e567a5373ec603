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
  publish(event: unknown): void;
  close(): Promise<void>;
}

/** Answers a request; what it throws becomes the error of the answer. */
export type Answerer = (request: Readonly<Record<string, unknown>> & { readonly do: string }) => Promise<unknown>;

const lineSchema = v.object({
  id: v.optional(v.union([v.number(), v.pipe(v.string(), v.maxLength(200))])),
  request: v.looseObject({ do: v.pipe(v.string(), v.maxLength(100)) }),
});

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
      for (const connection of connections) connection.tell(line);
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
  #isFollowing = false;
  #underWay = 0;
  readonly #waiting: string[] = [];

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
    socket.on("close", onClosed);
  }

  tell(line: string): void {
    if (!this.#isFollowing) return;
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
        this.#send({ id, result: true });
        this.#isFollowing = true;
        return;
      }
      this.#send({ id, result: (await this.answer(request)) ?? null });
    } catch (error) {
      this.#send({ id, error: controlErrorOf(error) });
    }
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
