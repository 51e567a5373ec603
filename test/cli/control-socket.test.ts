import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { maxConnections, maxRequestBytes } from "../../src/host/control-protocol.ts";
import { threeGuests, useSandbox } from "./sandbox.ts";

const sandbox = useSandbox();

/** Sends bytes and resolves with all that comes back until the host closes or `wanted` lines came. */
function exchange(bytes: string | Buffer, wanted: number): Promise<{ lines: unknown[]; isClosed: boolean }> {
  return new Promise((resolve, reject) => {
    const socket = connect(join(sandbox.current.runFolder, "lpar1/control.sock"));
    let text = "";
    const lines = (): unknown[] => text.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line)]));
    socket.on("connect", () => socket.write(bytes));
    socket.on("data", (chunk) => {
      text += String(chunk);
      if (text.split("\n").length <= wanted) return;
      resolve({ lines: lines(), isClosed: false });
      socket.destroy();
    });
    socket.on("close", () => resolve({ lines: lines(), isClosed: true }));
    socket.on("error", (error: NodeJS.ErrnoException) =>
      error.code === "EPIPE" || error.code === "ECONNRESET" ? undefined : reject(error),
    );
  });
}

const question = '{"id":7,"request":{"do":"read","path":"/sys/bus/ap/ap_max_domain_id"}}\n';
const answer = { id: 7, result: "255\n" };

describe("the control socket", () => {
  beforeEach(async () => {
    await sandbox.current.up(threeGuests, "--no-mount");
  });

  test("answers a request with its id", async () => {
    expect(await exchange(question, 1)).toEqual({ lines: [answer], isClosed: false });
  });

  test("answers a refusal with the errno's name", async () => {
    const request = '{"id":"x","request":{"do":"write","path":"/sys/bus/ap/config_time","data":"4\\n"}}\n';
    expect((await exchange(request, 1)).lines).toEqual([{ id: "x", error: { code: "EINVAL", message: expect.any(String) } }]);
  });

  test.each([
    ["no JSON", "hello\n"],
    ["no object", "[1,2]\n"],
    ["a request without do", '{"id":1,"request":{"path":"/sys"}}\n'],
    ["an id that is an object", '{"id":{},"request":{"do":"status"}}\n'],
    ["bytes that are no UTF-8", Buffer.from([0xff, 0xfe, 0x00, 0x0a])],
    ["a command that there is not", '{"id":1,"request":{"do":"dance"}}\n'],
    ["a parameter of a wrong type", '{"id":1,"request":{"do":"read","path":5}}\n'],
  ])("answers %s with an error and goes on", async (_, bytes) => {
    const { lines } = await exchange(Buffer.concat([Buffer.from(bytes), Buffer.from(question)]), 2);
    expect(lines).toEqual(
      expect.arrayContaining([expect.objectContaining({ error: { code: "bad-request", message: expect.any(String) } }), answer]),
    );
  });

  test("closes a connection whose line passes the limit, and only that one", async () => {
    const { lines, isClosed } = await exchange(`{"id":1,"request":{"do":"${"x".repeat(4 * maxRequestBytes)}`, 2);
    expect(lines).toEqual([{ id: null, error: { code: "bad-request", message: expect.stringContaining(String(maxRequestBytes)) } }]);
    expect(isClosed).toBe(true);
    expect((await exchange(question, 1)).lines).toEqual([answer]);
  });

  test("survives lines that are cut off", async () => {
    for (let length = 1; length < question.length; length += 7) {
      const socket = await connected();
      socket.end(question.slice(0, length));
      await new Promise((resolve) => socket.once("close", resolve));
    }
    expect((await exchange(question, 1)).lines).toEqual([answer]);
  });

  test("answers ten thousand requests sent at once", async () => {
    const { lines } = await exchange(question.repeat(10_000), 10_000);
    expect(lines).toHaveLength(10_000);
  });

  test("takes a bounded number of connections and serves again when they are gone", async () => {
    const sockets: Socket[] = [];
    for (let count = 0; count < maxConnections + 10; count++) sockets.push(await connected());
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(sockets.filter((socket) => socket.destroyed || socket.readableEnded || socket.closed).length).toBeLessThanOrEqual(10);
    for (const socket of sockets) socket.destroy();
    expect((await sandbox.current.adjunct("read", "lpar1", "/sys/bus/ap/ap_max_domain_id")).stdout).toBe("255\n");
  });

  test("is refused to another user", async (context) => {
    if (process.getuid?.() !== 0) context.skip("becoming another user needs root");
    await sandbox.current.run("chmod", ["755", sandbox.current.folder]);
    const other = (words: string[]): ReturnType<typeof sandbox.current.run> =>
      sandbox.current.run("setpriv", ["--reuid=65534", "--regid=65534", "--clear-groups", ...words]);
    const socket = join(sandbox.current.runFolder, "lpar1/control.sock");
    const program = `require("net").connect(${JSON.stringify(socket)}).on("error", (e) => { console.log(e.code); }).on("connect", () => console.log("let in"))`;
    expect((await other([process.execPath, "-e", program])).stdout).toBe("EACCES\n");
    expect((await other(["ls", sandbox.current.runFolder])).stderr).toContain("Permission denied");
    expect((await other(["ls", sandbox.current.stateFolder])).stderr).toContain("Permission denied");
    // Also where the folders would let it pass, the socket itself does not.
    await sandbox.current.run("chmod", ["711", sandbox.current.runFolder, join(sandbox.current.runFolder, "lpar1")]);
    expect((await other([process.execPath, "-e", program])).stdout).toBe("EACCES\n");
  });

  test("tells a follower of what happens, in order and to the end", async () => {
    const socket = await connected();
    let text = "";
    socket.on("data", (chunk) => {
      text += String(chunk);
    });
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.write('{"id":1,"request":{"do":"follow"}}\n');
    await sandbox.current.adjunct("hw", "lpar1", "card", "add", "7", "--type", "CEX7C");
    await sandbox.current.adjunct("write", "lpar1", "/sys/bus/ap/scans", "1");
    await sandbox.current.adjunct("down", "lpar1");
    await closed;
    const events = text
      .split("\n")
      .flatMap((line) => (line === "" ? [] : [JSON.parse(line) as { event?: { type: string; action: string; devpath: string } }]));
    const added = events.flatMap(({ event }) => (event?.type === "uevent" && event.action === "add" ? [event.devpath] : []));
    expect(added.slice(0, 2)).toEqual(["/devices/ap/card07", "/devices/ap/card07/07.0004"]);
  });
});

async function connected(): Promise<Socket> {
  const socket = connect(join(sandbox.current.runFolder, "lpar1/control.sock"));
  socket.on("error", () => {});
  await new Promise((resolve) => socket.once("connect", resolve));
  return socket;
}
