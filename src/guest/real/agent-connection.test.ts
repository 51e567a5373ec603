import { Duplex } from "node:stream";
import { beforeEach, describe, expect, test } from "vitest";
import { AgentConnection } from "./agent-connection.ts";

/** The other end of the port: what is written to it, and a way to say something. */
class Port extends Duplex {
  written = "";
  override _read(): void {}
  override _write(bytes: Buffer, _encoding: string, done: () => void): void {
    this.written += bytes.toString("latin1");
    done();
  }
  say(text: string): void {
    this.push(Buffer.from(text));
  }
}

const silent = { onOutput: () => {}, onError: () => {} };
/** What was said and written by now has arrived. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

let port: Port;
let agent: AgentConnection;
let session: string;
beforeEach(() => {
  port = new Port();
  agent = new AgentConnection(port);
  session = /^hello (\S+)\n$/.exec(port.written)?.[1] ?? "";
});

describe("the agent's connection", () => {
  test("is ready when the agent answers its own greeting, not a former one", async () => {
    let isReady = false;
    const ready = agent.ready().then(() => {
      isReady = true;
    });
    port.say("hello 0000 1\nend 0000-1 0\n");
    await settled();
    expect(isReady).toBe(false);
    port.say(`hello ${session} 1\n`);
    await ready;
  });

  test("refuses an agent of another version, and names the remedy", async () => {
    const ready = expect(agent.ready()).rejects.toThrow("version 2, this is version 1: adjunct guest fetch");
    port.say(`hello ${session} 2\n`);
    await ready;
    expect(port.destroyed).toBe(true);
  });

  test("gives each job its own output and status", async () => {
    const texts: string[] = [];
    const take = (name: string) => ({
      onOutput: (bytes: Buffer) => void texts.push(`${name}: ${bytes}`),
      onError: (bytes: Buffer) => void texts.push(`${name} error: ${bytes}`),
    });
    const one = agent.run({ script: "one", ...take("one") });
    const two = agent.run({ script: "two", ...take("two") });
    expect(port.written).toContain(`run ${session}-1 none 3\none`);
    port.say(`output ${session}-2 Mg==\nerror ${session}-1 MQ==\nend ${session}-2 0\noutput ${session}-2 eA==\nend ${session}-1 139\n`);
    expect(await Promise.all([one.status, two.status])).toEqual([139, 0]);
    expect(texts).toEqual(["two: 2", "one error: 1"]);
  });

  test("sends the next input when the former was taken, and the end behind all", async () => {
    async function* stdin(): AsyncGenerator<Buffer> {
      yield Buffer.from("first");
      yield Buffer.from("second");
    }
    const { status } = agent.run({ script: "cat", stdin: stdin(), ...silent });
    await settled();
    expect(port.written).toMatch(/input \S+ 5\nfirst$/);
    port.say(`taken ${session}-1\n`);
    await settled();
    expect(port.written).toMatch(/first\n?input \S+ 6\nsecond$/);
    port.say(`taken ${session}-1\n`);
    await settled();
    expect(port.written).toMatch(/second\n?close \S+\n$/);
    port.say(`end ${session}-1 0\n`);
    expect(await status).toBe(0);
  });

  test("ends a job that does not read its input", async () => {
    async function* stdin(): AsyncGenerator<Buffer> {
      for (;;) yield Buffer.from("more");
    }
    const { status } = agent.run({ script: "true", stdin: stdin(), ...silent });
    await settled();
    port.say(`end ${session}-1 0\n`);
    expect(await status).toBe(0);
    await settled();
    expect(port.written.match(/input \S+ 4\n/g)).toHaveLength(1);
  });

  test("sends signals to a job that runs and none to one that has ended", async () => {
    const job = agent.run({ script: "sleep 9", ...silent });
    job.signal("TERM");
    expect(port.written).toMatch(/signal \S+ TERM\n$/);
    port.say(`end ${session}-1 143\n`);
    expect(await job.status).toBe(143);
    job.signal("KILL");
    expect(port.written).not.toContain("KILL");
  });

  test("fails every job when the guest goes away or talks nonsense", async () => {
    const one = expect(agent.run({ script: "one", ...silent }).status).rejects.toThrow("which is no message");
    port.say("\u0000\u0001 garbage\n");
    await one;
    expect(port.destroyed).toBe(true);
    await expect(agent.run({ script: "two", ...silent }).status).rejects.toThrow("which is no message");
  });

  test("fails what runs when the port closes", async () => {
    const job = expect(agent.run({ script: "one", ...silent }).status).rejects.toThrow("the guest's agent is gone");
    port.destroy();
    await job;
  });
});
