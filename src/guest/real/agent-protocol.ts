/**
 * What goes over the port `org.adjunct.agent.0` between us and the agent in a guest's image (scripts/guest-image/agent.sh). Lines of words; to the
 * agent, `run` and `input` are followed by as many bytes as they say. A job's name is the caller's; the agent makes a folder of it.
 *
 *     to the agent                               from the agent
 *     hello NONCE      ends all jobs             hello NONCE VERSION   in answer; what came before is a former connection's
 *     run JOB input|none LENGTH, a script        output JOB BASE64     of the script's stdout
 *     input JOB LENGTH, bytes for its stdin      error JOB BASE64      of its stderr
 *     close JOB        the end of its stdin      taken JOB             the input was, so that the next may be sent
 *     signal JOB NAME  to all its processes      end JOB STATUS        the last of a job; 128 and the signal's number for a killed one
 *
 * One `input` a job may be under way: the agent has no other way to say that a program does not read.
 */
export const agentPortName = "org.adjunct.agent.0";
export const agentVersion = 1;

/** Against a command line that fills the guest's memory. */
export const maxScriptBytes = 128 << 10;
/** Of one `input`: the agent keeps that much of every job in memory. */
export const maxInputBytes = 128 << 10;
/** The guest's port takes no more in one piece. A longer line is no agent's. */
export const maxLineBytes = 32 << 10;

export const agentSignals = ["HUP", "INT", "QUIT", "KILL", "TERM", "USR1", "USR2", "CONT", "STOP"] as const;
export type AgentSignal = (typeof agentSignals)[number];

export type AgentMessage =
  | { readonly kind: "hello"; readonly nonce: string; readonly version: number }
  | { readonly kind: "output" | "error"; readonly job: string; readonly bytes: Buffer }
  | { readonly kind: "taken"; readonly job: string }
  | { readonly kind: "end"; readonly job: string; readonly status: number };

/** What came is nothing that an agent says. */
export class AgentProtocolError extends Error {
  constructor(line: string) {
    super(`the guest's agent sent ${JSON.stringify(line.slice(0, 80))}, which is no message of version ${agentVersion}`);
    this.name = "AgentProtocolError";
  }
}

export const helloText = (nonce: string): Buffer => line("hello", word(nonce));

export function runText(job: string, script: string, stdin: "input" | "none"): Buffer {
  const bytes = Buffer.from(script);
  if (bytes.length === 0 || bytes.length > maxScriptBytes)
    throw new RangeError(`a script has 1 to ${maxScriptBytes} bytes, not ${bytes.length}`);
  return Buffer.concat([line("run", word(job), stdin, bytes.length), bytes]);
}

export function inputText(job: string, bytes: Uint8Array): Buffer {
  if (bytes.length === 0 || bytes.length > maxInputBytes)
    throw new RangeError(`an input has 1 to ${maxInputBytes} bytes, not ${bytes.length}`);
  return Buffer.concat([line("input", word(job), bytes.length), bytes]);
}

export const closeText = (job: string): Buffer => line("close", word(job));

export const signalText = (job: string, signal: AgentSignal): Buffer => line("signal", word(job), signal);

/** A program with its arguments as a script: the program takes the shell's place. No word can hold a zero byte. */
export function programScript(words: readonly string[], environment: Readonly<Record<string, string>> = {}): string {
  const variables = Object.entries(environment).map(([name, value]) => `export ${name}=${quoted(value)}\n`);
  return `${variables.join("")}exec ${words.map(quoted).join(" ")}\n`;
}

/** Takes the agent's bytes as they come and gives the messages that are whole. Throws an AgentProtocolError, and is then of no more use. */
export class AgentDecoder {
  #rest = Buffer.alloc(0);

  push(bytes: Uint8Array): AgentMessage[] {
    const all = Buffer.concat([this.#rest, bytes]);
    const messages: AgentMessage[] = [];
    let start = 0;
    for (let end = all.indexOf(newline); end >= 0; end = all.indexOf(newline, start)) {
      messages.push(decode(all.toString("latin1", start, end)));
      start = end + 1;
    }
    this.#rest = all.subarray(start);
    if (this.#rest.length >= maxLineBytes) throw new AgentProtocolError(this.#rest.toString("latin1", 0, 80));
    return messages;
  }
}

const newline = 0x0a;

function decode(text: string): AgentMessage {
  const [verb, name = "", value = "", ...more] = text.split(" ");
  if (more.length > 0 || text.length >= maxLineBytes || !wordPattern.test(name)) throw new AgentProtocolError(text);
  if (verb === "hello" && /^\d{1,6}$/.test(value)) return { kind: verb, nonce: name, version: Number(value) };
  if ((verb === "output" || verb === "error") && isBase64(value)) return { kind: verb, job: name, bytes: Buffer.from(value, "base64") };
  if (verb === "taken" && value === "") return { kind: verb, job: name };
  if (verb === "end" && /^\d{1,3}$/.test(value) && Number(value) <= maxStatus) return { kind: verb, job: name, status: Number(value) };
  throw new AgentProtocolError(text);
}

/** It becomes a folder's name and is part of a shell's line. */
const wordPattern = /^[0-9a-z][0-9a-z-]{0,39}$/;
const maxStatus = 255;

const isBase64 = (text: string): boolean => text.length > 0 && text.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(text);

function word(text: string): string {
  if (!wordPattern.test(text)) throw new RangeError(`${JSON.stringify(text)} cannot name a job`);
  return text;
}

const line = (...words: readonly (string | number)[]): Buffer => Buffer.from(`${words.join(" ")}\n`);

function quoted(text: string): string {
  if (text.includes("\0")) throw new RangeError("no argument can hold a zero byte");
  return `'${text.replaceAll("'", "'\\''")}'`;
}
