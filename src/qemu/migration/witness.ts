import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/**
 * Each side of a migration can be asked by the other beside the connection, for as long as its process lives: a unix socket in a folder that
 * only its owner can look into, its name in HELLO and READY. An answer is what was decided, so a broken connection leaves nothing to guess;
 * nobody there any more means that the guest is not there any more either.
 */

/** What is asked. `reach`: can you be asked. `whose`: is the guest yours or mine. `yours`: it is yours, do you have it. */
export const witnessQuestions = ["reach", "whose", "yours"] as const;
export type WitnessQuestion = (typeof witnessQuestions)[number];

export const witnessAnswers = ["here", "mine", "yours", "running", "gave-up"] as const;
export type WitnessAnswer = (typeof witnessAnswers)[number];

/** `gone`: nobody listens there any more. `silent`: somebody does, and says nothing that can be understood. */
export type WitnessOutcome = WitnessAnswer | "gone" | "silent";

export interface Witness {
  readonly path: string;
  close(): void;
}

/** `answer` gets the token of the migration that is asked for. */
export type ServeWitness = (answer: (question: WitnessQuestion, token: string) => Promise<WitnessAnswer>) => Promise<Witness>;
export type AskWitness = (path: string, question: WitnessQuestion, token: string) => Promise<WitnessOutcome>;

/** Of one question or answer: stops a stranger from filling the memory. */
const MAX_LINE_BYTES = 128;
/** Who connects and says nothing is let go. */
const ANSWER_LIMIT_MS = 5_000;

export const serveWitness: ServeWitness = async (answer) => {
  const folder = mkdtempSync(join(tmpdir(), "adjunct-witness-"));
  const path = join(folder, "ask");
  const server = createServer((socket) => void serve(socket, answer));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });
  server.unref();
  return {
    path,
    close: () => {
      server.close();
      rmSync(dirname(path), { recursive: true, force: true });
    },
  };
};

export const askWitness: AskWitness = async (path, question, token) => {
  const socket = connect({ path });
  socket.setTimeout(ANSWER_LIMIT_MS, () => socket.destroy());
  try {
    await new Promise<void>((resolve, reject) => socket.once("connect", resolve).once("error", reject));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === "ECONNREFUSED" || code === "ENOENT" ? "gone" : "silent";
  }
  socket.write(`${question} ${token}\n`);
  const line = await lineOf(socket);
  socket.destroy();
  return witnessAnswers.find((answer) => answer === line) ?? "silent";
};

async function serve(socket: Socket, answer: Parameters<ServeWitness>[0]): Promise<void> {
  socket.setTimeout(ANSWER_LIMIT_MS, () => socket.destroy());
  const [word, token = ""] = ((await lineOf(socket)) ?? "").split(" ");
  const question = witnessQuestions.find((known) => known === word);
  if (!question) return void socket.destroy();
  socket.end(`${await answer(question, token)}\n`);
}

/** Undefined where none comes. */
function lineOf(socket: Socket): Promise<string | undefined> {
  return new Promise((resolve) => {
    let text = "";
    socket.on("error", () => {});
    socket.on("close", () => resolve(undefined));
    socket.on("data", (bytes) => {
      text += bytes.toString("latin1");
      const end = text.indexOf("\n");
      if (end >= 0) resolve(text.slice(0, end));
      else if (text.length > MAX_LINE_BYTES) socket.destroy();
    });
  });
}
