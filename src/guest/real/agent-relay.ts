import { rmSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { AgentDecoder, type AgentMessage, helloText, signalText } from "./agent-protocol.ts";
import { AgentRequestReader } from "./agent-request-reader.ts";

/**
 * Lets several callers use the one port of a guest's agent at once: each has a connection of its own here and speaks the agent's protocol.
 * Names of jobs are random, so they need no translation. A caller that goes has its jobs killed; an agent that goes ends all connections.
 */
export class AgentRelay {
  readonly #callers = new Map<Socket, Caller>();
  readonly #owners = new Map<string, Socket>();
  readonly #server: Server;
  #port: Socket | undefined;
  /** Of the agent that answered; undefined: none did yet. */
  #version: number | undefined;
  #decoder = new AgentDecoder();

  /** `portSocket`: QEMU's end of the port. `callerSocket`: where callers come to. */
  constructor(
    private readonly portSocket: string,
    private readonly callerSocket: string,
  ) {
    this.#server = createServer((caller) => this.#welcome(caller));
    this.#server.on("error", () => {});
  }

  /** Resolves when callers can come, long before the guest has booted. */
  async listen(): Promise<void> {
    rmSync(this.callerSocket, { force: true });
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(this.callerSocket, resolve);
    });
    const port = connect(this.portSocket);
    this.#port = port;
    port.on("error", () => {});
    port.on("data", (bytes) => this.#take(bytes));
    port.on("close", () => this.#dropCallers());
    this.agentChanged(true);
  }

  /** The guest opened or closed its side of the port: another agent is there, or none. */
  agentChanged(isThere: boolean): void {
    this.#version = undefined;
    this.#decoder = new AgentDecoder();
    if (!isThere) this.#dropCallers();
    // It waits in the port until an agent reads it.
    this.#port?.write(helloText(relayNonce));
  }

  close(): void {
    this.#server.close();
    this.#port?.destroy();
    this.#dropCallers();
    rmSync(this.callerSocket, { force: true });
  }

  #welcome(socket: Socket): void {
    // Nobody would ever answer.
    if (this.#port?.destroyed) {
      socket.destroy();
      return;
    }
    const caller: Caller = { reader: new AgentRequestReader(), nonce: undefined };
    this.#callers.set(socket, caller);
    socket.on("error", () => {});
    socket.on("data", (bytes) => {
      try {
        for (const request of caller.reader.push(bytes)) {
          if (request.verb === "hello") this.#greet(socket, caller, request.name);
          else this.#pass(socket, request.name, request.bytes);
        }
      } catch {
        socket.destroy();
      }
    });
    socket.on("close", () => this.#forget(socket));
  }

  #greet(socket: Socket, caller: Caller, nonce: string): void {
    caller.nonce = nonce;
    if (this.#version !== undefined) socket.write(answerText({ kind: "hello", nonce, version: this.#version }));
  }

  #pass(socket: Socket, job: string, bytes: Buffer): void {
    const owner = this.#owners.get(job);
    if (owner === undefined) this.#owners.set(job, socket);
    else if (owner !== socket) throw new Error(`job ${job} is another caller's`);
    this.#port?.write(bytes);
  }

  #take(bytes: Buffer): void {
    try {
      for (const message of this.#decoder.push(bytes)) this.#handle(message);
    } catch {
      // What is no agent of ours is not talked to any more.
      this.#port?.destroy();
    }
  }

  #handle(message: AgentMessage): void {
    if (message.kind === "hello") {
      if (message.nonce === relayNonce) this.#agentAnswered(message.version);
      return;
    }
    this.#owners.get(message.job)?.write(answerText(message));
    if (message.kind === "end") this.#owners.delete(message.job);
  }

  #agentAnswered(version: number): void {
    this.#version = version;
    for (const [socket, { nonce }] of this.#callers) if (nonce !== undefined) socket.write(answerText({ kind: "hello", nonce, version }));
  }

  #forget(socket: Socket): void {
    this.#callers.delete(socket);
    for (const [job, owner] of this.#owners) {
      if (owner !== socket) continue;
      this.#owners.delete(job);
      this.#port?.write(signalText(job, "KILL"));
    }
  }

  #dropCallers(): void {
    this.#owners.clear();
    for (const socket of this.#callers.keys()) socket.destroy();
  }
}

interface Caller {
  readonly reader: AgentRequestReader;
  nonce: string | undefined;
}

const relayNonce = "relay";

/** As the agent itself would have sent it. */
function answerText(message: AgentMessage): string {
  switch (message.kind) {
    case "hello":
      return `hello ${message.nonce} ${message.version}\n`;
    case "output":
    case "error":
      return `${message.kind} ${message.job} ${message.bytes.toString("base64")}\n`;
    case "taken":
      return `taken ${message.job}\n`;
    case "end":
      return `end ${message.job} ${message.status}\n`;
  }
}
