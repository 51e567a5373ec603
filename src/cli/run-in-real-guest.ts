import { connect } from "node:net";
import { constants } from "node:os";
import { AgentConnection, type AgentRun } from "../guest/real/agent-connection.ts";
import { type AgentSignal, agentSignals, programScript } from "../guest/real/agent-protocol.ts";
import { Refusal } from "../host/control-protocol.ts";

/** How long a guest may boot before its agent answers. */
const bootMs = 120_000;

/**
 * Runs a program in a real guest, with our input and output; resolves with its exit status. Signals that we get reach it. Refusal: the guest's
 * agent does not answer.
 */
export async function runInRealGuest(words: readonly string[], agentSocket: string): Promise<number> {
  const socket = connect(agentSocket);
  const agent = new AgentConnection(socket);
  const timer = setTimeout(() => socket.destroy(new Error(`it did not answer for ${bootMs / 1000} s`)), bootMs);
  try {
    await agent.ready();
    clearTimeout(timer);
    // What a terminal types is the shell's until the program is there to read it.
    const run = agent.run({
      script: programScript(words),
      stdin: process.stdin,
      onOutput: (bytes) => process.stdout.write(bytes),
      onError: (bytes) => process.stderr.write(bytes),
    });
    for (const signal of passed) process.on(signal, () => passOn(run, signal.slice("SIG".length) as AgentSignal));
    return await run.status;
  } catch (error) {
    throw new Refusal(`${(error as Error).message}: the guest has ended or hangs, adjunct log and adjunct console show more`);
  } finally {
    clearTimeout(timer);
    socket.destroy();
    process.stdin.destroy();
  }
}

/**
 * A background job of the agent's shell has INT and QUIT ignored, which a program keeps unless it asks for them: so TERM follows, and KILL
 * when the user insists.
 */
function passOn(run: AgentRun, name: AgentSignal): void {
  run.signal(name);
  if (name !== "INT" && name !== "QUIT") return;
  if (insisted) run.signal("KILL");
  insisted = true;
  setTimeout(() => run.signal("TERM"), interruptMs).unref();
}

let insisted = false;
/** What a program that knows INT has to end by it. */
const interruptMs = 500;

/** Those that end a process by themselves and can be caught here. */
const passed = agentSignals
  .filter((name) => name !== "KILL" && name !== "STOP" && name !== "CONT")
  .map((name) => `SIG${name}` as const)
  .filter((name) => name in constants.signals);
