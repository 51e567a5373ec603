import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { AgentConnection } from "./agent-connection.ts";
import { runText } from "./agent-protocol.ts";
import { AgentRelay } from "./agent-relay.ts";

/** One end of a socket: what came over it, and a way to wait for something there. */
class End {
  received = "";
  isClosed = false;
  #waiting: (() => void)[] = [];

  constructor(readonly socket: Socket) {
    socket.on("error", () => {});
    socket.on("data", (bytes) => {
      this.received += bytes.toString("latin1");
      this.#wake();
    });
    socket.on("close", () => {
      this.isClosed = true;
      this.#wake();
    });
  }

  say(text: string): void {
    this.socket.write(text);
  }

  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Takes everything up to a text that comes. */
  async take(text: string): Promise<string> {
    await this.until(() => this.received.includes(text));
    const end = this.received.indexOf(text) + text.length;
    const taken = this.received.slice(0, end);
    this.received = this.received.slice(end);
    return taken;
  }

  closed(): Promise<void> {
    return this.until(() => this.isClosed);
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

let folder: string;
let qemu: Server;
let port: End;
let relay: AgentRelay;
const callers: End[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "agent-"));
  const connected = new Promise<End>((resolve) => {
    qemu = createServer((socket) => resolve(new End(socket)));
  });
  await new Promise<void>((resolve) => qemu.listen(join(folder, "port"), resolve));
  relay = new AgentRelay(join(folder, "port"), join(folder, "agent"));
  await relay.listen();
  port = await connected;
});

afterEach(() => {
  relay.close();
  for (const { socket } of callers.splice(0)) socket.destroy();
  port.socket.destroy();
  qemu.close();
  rmSync(folder, { recursive: true });
});

function call(): Promise<End> {
  return new Promise((resolve, reject) => {
    const socket = connect(join(folder, "agent"));
    socket.once("error", reject);
    socket.once("connect", () => {
      const caller = new End(socket);
      callers.push(caller);
      resolve(caller);
    });
  });
}

/** An agent that is there, as far as the relay knows. */
async function answered(): Promise<void> {
  await port.take("hello relay\n");
  port.say("hello relay 1\n");
}

async function greeted(name: string): Promise<End> {
  const caller = await call();
  caller.say(`hello ${name}\n`);
  await caller.take(`hello ${name} 1\n`);
  return caller;
}

describe("a caller", () => {
  test("may come before the agent is there, and is greeted when it is", async () => {
    const early = await call();
    early.say("hello 01\n");
    await answered();
    expect(await early.take("\n")).toBe("hello 01 1\n");
    const late = await call();
    late.say("hello 02\n");
    expect(await late.take("\n")).toBe("hello 02 1\n");
    expect(port.received).toBe("");
  });

  test("is greeted with the version that the agent has", async () => {
    await port.take("hello relay\n");
    port.say("hello relay 7\n");
    const caller = await call();
    caller.say("hello 01\n");
    expect(await caller.take("\n")).toBe("hello 01 7\n");
  });

  test("hears of its own jobs and of no others", async () => {
    await answered();
    const [one, two] = [await greeted("01"), await greeted("02")];
    one.say("run 01-1 none 3\none");
    await port.take("run 01-1 none 3\none");
    two.say("run 02-1 input 3\ntwo");
    await port.take("run 02-1 input 3\ntwo");
    port.say("output 02-1 Mg==\noutput 01-1 MQ==\ntaken 02-1\nerror 01-1 ZQ==\nend 02-1 3\nend 01-1 0\n");
    expect(await one.take("end 01-1 0\n")).toBe("output 01-1 MQ==\nerror 01-1 ZQ==\nend 01-1 0\n");
    expect(await two.take("end 02-1 3\n")).toBe("output 02-1 Mg==\ntaken 02-1\nend 02-1 3\n");
  });

  test("has its requests passed on whole, never within another's", async () => {
    await answered();
    const [one, two] = [await greeted("01"), await greeted("02")];
    const script = runText("01-1", "echo one", "none").toString();
    one.say(script.slice(0, 20));
    two.say("run 02-1 none 3\ntwo");
    expect(await port.take("two")).toBe("run 02-1 none 3\ntwo");
    one.say(script.slice(20));
    expect(await port.take("echo one")).toBe(script);
  });

  test("that goes has its jobs killed, those that have ended excepted", async () => {
    await answered();
    const [one, two] = [await greeted("01"), await greeted("02")];
    one.say("run 01-1 none 1\na");
    one.say("run 01-2 none 1\nb");
    await port.take("1\nb");
    two.say("run 02-1 none 1\nc");
    await port.take("1\nc");
    port.say("end 01-1 0\n");
    await one.take("end 01-1 0\n");
    one.socket.destroy();
    expect(await port.take("KILL\n")).toBe("signal 01-2 KILL\n");
    // Its output goes nowhere, and the others stay.
    port.say("output 01-2 MQ==\nend 01-2 137\nend 02-1 0\n");
    expect(await two.take("\n")).toBe("end 02-1 0\n");
    expect(port.received).toBe("");
  });

  test.each([
    ["sends garbage", "garbage\n"],
    ["takes another's job", "signal 01-1 KILL\n"],
    ["has no end", "x".repeat(300)],
  ])("that %s is sent away, and nobody else", async (_title, text) => {
    await answered();
    const one = await greeted("01");
    one.say("run 01-1 none 3\none");
    await port.take("3\none");
    const bad = await call();
    bad.say(text);
    await bad.closed();
    port.say("end 01-1 0\n");
    expect(await one.take("\n")).toBe("end 01-1 0\n");
    expect(port.received).toBe("");
  });
});

describe("an agent", () => {
  test("that goes ends all callers, whose jobs went with it", async () => {
    await answered();
    const one = await greeted("01");
    one.say("run 01-1 none 3\none");
    await port.take("3\none");
    relay.agentChanged(false);
    await one.closed();
    expect(await port.take("hello relay\n")).toBe("hello relay\n");
  });

  test("that comes after another one is waited for, and greets those that have come meanwhile", async () => {
    await answered();
    await greeted("01");
    relay.agentChanged(false);
    await port.take("hello relay\n");
    const caller = await call();
    caller.say("hello 02\n");
    relay.agentChanged(true);
    await port.take("hello relay\n");
    // The first one's answer to nobody, then its own.
    port.say("hello 02 1\nhello relay 2\n");
    expect(await caller.take("\n")).toBe("hello 02 2\n");
  });

  test("that went within a line leaves none of it to the next", async () => {
    await answered();
    const caller = await greeted("01");
    port.say("hello relay 1\noutput 01-1 AA");
    // Once greeted again, the rest of the piece has been read as well.
    await caller.take("hello 01 1\n");
    relay.agentChanged(true);
    port.say("hello relay 1\n");
    await caller.take("hello 01 1\n");
  });

  test.each([
    ["garbage", "garbage\n"],
    ["a status that there is not", "end 01-1 999\n"],
    ["a line without end", `output 01-1 ${"A".repeat(40_000)}`],
  ])("that sends %s is not talked to any more, nor are later callers kept waiting", async (_title, text) => {
    await answered();
    const caller = await greeted("01");
    port.say(text);
    await Promise.all([port.closed(), caller.closed()]);
    const late = await call();
    await late.closed();
    relay.agentChanged(true);
  });
});

describe("the relay", () => {
  test("takes the place of a socket that a former process left, and removes its own", async () => {
    relay.close();
    relay = new AgentRelay(join(folder, "nothing"), join(folder, "agent"));
    await relay.listen();
    expect(existsSync(join(folder, "agent"))).toBe(true);
    relay.close();
    expect(existsSync(join(folder, "agent"))).toBe(false);
  });

  test("ends its callers when it closes", async () => {
    await answered();
    const caller = await greeted("01");
    relay.close();
    await Promise.all([caller.closed(), port.closed()]);
    await expect(call()).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("rejects where its socket cannot be", async () => {
    const other = new AgentRelay(join(folder, "port"), join(folder, "no", "folder"));
    await expect(other.listen()).rejects.toThrow("listen");
    other.close();
  });

  test("is to several connections what the agent is to one", async () => {
    await answered();
    const [one, two] = [await call(), await call()].map(({ socket }) => new AgentConnection(socket));
    await Promise.all([one!.ready(), two!.ready()]);
    const texts: string[] = [];
    const job = (script: string) => ({ script, onOutput: (bytes: Buffer) => void texts.push(`${script} ${bytes}`), onError: () => {} });
    const statuses = [one!.run(job("one")).status, two!.run(job("two")).status];
    await port.until(() => /one/.test(port.received) && /two/.test(port.received));
    const names = new Map([...port.received.matchAll(/run (\S+) none 3\n(one|two)/g)].map(([, name = "", script = ""]) => [script, name]));
    port.say(`output ${names.get("two")} Mg==\nend ${names.get("two")} 2\noutput ${names.get("one")} MQ==\nend ${names.get("one")} 1\n`);
    expect(await Promise.all(statuses)).toEqual([1, 2]);
    expect(texts.sort()).toEqual(["one 1", "two 2"]);
  });
});
