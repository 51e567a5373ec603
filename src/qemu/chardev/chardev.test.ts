import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Chardev, ChardevFrontend, ChardevSurroundings } from "./chardev.ts";
import { createChardev } from "./create-chardev.ts";
import { MAX_UNSENT_BYTES } from "./peer.ts";
import type { RingbufChardev } from "./ringbuf-chardev.ts";

let folder: string;
let opened: Chardev[];
let reports: string[];
let due: (() => void)[];
let surroundings: ChardevSurroundings & { stdin: PassThrough; stdout: PassThrough };

beforeEach(() => {
  folder = mkdtempSync("/tmp/chardev-");
  opened = [];
  reports = [];
  due = [];
  surroundings = {
    stdin: new PassThrough(),
    stdout: new PassThrough(),
    after: (_ms, act) => {
      due.push(act);
      return () => due.splice(due.indexOf(act), 1);
    },
    report: (line) => reports.push(line),
  };
});

afterEach(async () => {
  for (const chardev of opened) await chardev.close();
  rmSync(folder, { recursive: true });
});

async function open(backend: string, options: Record<string, string> = {}): Promise<Chardev> {
  const chardev = await createChardev({ id: "c", backend, options: new Map(Object.entries(options)) }, surroundings);
  opened.push(chardev);
  return chardev;
}

/** Says HELLO, and gives everything back in capitals. */
const shouting = (chardev: Chardev): string[] => {
  const heard: string[] = [];
  const frontend: ChardevFrontend = {
    opened: () => chardev.write("HELLO\n"),
    received: (bytes) => chardev.write(Buffer.from(bytes).toString().toUpperCase()),
    drained: () => heard.push("drained"),
    closed: () => heard.push("closed"),
    settled: async () => {},
  };
  chardev.attach(frontend);
  return heard;
};

const heardBy = (socket: Socket, end: string): Promise<string> =>
  new Promise((resolve) => {
    let text = "";
    const hear = (bytes: Buffer): void => {
      text += bytes;
      if (!text.endsWith(end)) return;
      socket.off("data", hear);
      resolve(text);
    };
    socket.on("data", hear);
  });

describe("socket", () => {
  const listening = { server: "on", wait: "off" };

  it("hears one client at a time; the next waits unanswered until the one before has gone", async () => {
    const path = join(folder, "s");
    const chardev = await open("socket", { path, ...listening });
    const heard = shouting(chardev);
    expect(chardev.filename).toBe(`disconnected:unix:${path},server=on`);
    const first = connect(path);
    expect(await heardBy(first, "\n")).toBe("HELLO\n");
    expect(chardev.filename).toBe(`unix:${path},server=on`);
    const second = connect(path);
    let secondHeard = "";
    second.on("data", (bytes: Buffer) => {
      secondHeard += bytes;
    });
    second.write("early\n");
    first.write("x\n");
    expect(await heardBy(first, "\n")).toBe("X\n");
    expect(secondHeard).toBe("");
    first.end();
    expect(await heardBy(second, "EARLY\n")).toContain("HELLO\n");
    expect(heard).toEqual(["closed"]);
    second.destroy();
  });

  it("answers what was asked before the client's end", async () => {
    const path = join(folder, "s");
    shouting(await open("socket", { path, ...listening }));
    const client = connect({ path, allowHalfOpen: true });
    client.end("last\n");
    expect(await heardBy(client, "LAST\n")).toBe("HELLO\nLAST\n");
  });

  it("takes its file away at the end, and another socket's file at the beginning", async () => {
    const path = join(folder, "s");
    writeFileSync(path, "");
    const chardev = await open("socket", { path, ...listening });
    await chardev.close();
    expect(existsSync(path)).toBe(false);
  });

  it("listens on an abstract name and on a TCP port", async () => {
    const name = `adjunct-${process.pid}`;
    const abstract = await open("socket", { path: name, abstract: "on", ...listening });
    shouting(abstract);
    expect(abstract.filename).toBe(`disconnected:unix:${name},abstract=on,tight=on,server=on`);
    const client = connect(`\0${name}`);
    expect(await heardBy(client, "\n")).toBe("HELLO\n");
    client.destroy();
    const inet = await open("socket", { host: "127.0.0.1", port: "0", ...listening });
    expect(inet.filename).toBe("disconnected:tcp:127.0.0.1:0,server=on");
  });

  it("waits for its first client with wait=on, and says so", async () => {
    const path = join(folder, "s");
    const whenOpen = open("socket", { path, server: "on" });
    while (reports.length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(reports).toEqual([`info: QEMU waiting for connection on: disconnected:unix:${path},server=on`]);
    const client = connect(path);
    shouting(await whenOpen);
    expect(await heardBy(client, "\n")).toBe("HELLO\n");
    client.destroy();
  });

  it("connects as a client, and again with reconnect", async () => {
    const path = join(folder, "s");
    await expect(open("socket", { path })).rejects.toThrow(`Failed to connect to '${path}': No such file or directory`);
    const chardev = await open("socket", { path, reconnect: "1" });
    expect(reports).toEqual([`Unable to connect character device c: Failed to connect to '${path}': No such file or directory`]);
    shouting(chardev);
    const server = createServer().listen(path);
    const client = new Promise<Socket>((resolve) => server.once("connection", resolve));
    due.pop()!();
    const socket = await client;
    expect(await heardBy(socket, "\n")).toBe("HELLO\n");
    socket.destroy();
    server.close();
  });

  it("drops a client that asks and never reads", async () => {
    const path = join(folder, "s");
    const chardev = await open("socket", { path, ...listening });
    const heard = shouting(chardev);
    const client = connect(path);
    await heardBy(client, "\n");
    client.pause();
    chardev.write("x".repeat(2 * MAX_UNSENT_BYTES));
    expect(heard).toEqual(["closed"]);
    expect(chardev.isConnected).toBe(false);
    client.destroy();
  });

  it.each<[Record<string, string>, string]>([
    [{ path: "/nosuch/x", ...listening }, "Failed to bind socket to /nosuch/x: No such file or directory"],
    [{ path: "/tmp", ...listening }, "Failed to unlink socket /tmp: Is a directory"],
    [{ path: `/tmp/${"a".repeat(120)}`, ...listening }, `UNIX socket path '/tmp/${"a".repeat(120)}' is too long`],
    [{ host: "127.0.0.1", port: "1" }, "Failed to connect to '127.0.0.1:1': Connection refused"],
    [{ host: "192.0.2.1", port: "5", ...listening }, "Failed to bind socket: Cannot assign requested address"],
    [{ host: "nosuch.invalid", port: "1", ...listening }, "address resolution failed for nosuch.invalid:1: Name or service not known"],
    [{ host: "h" }, "chardev: socket: no port given"],
    [{ host: "h", port: "5", path: "/x" }, "None or one of 'path', 'fd' or 'host' option required."],
    [{ fd: "777", server: "on" }, "File descriptor '777' is not a socket"],
    [{ fd: "x", server: "on" }, "Unable to parse FD number x"],
    [{ path: "/x", wait: "on" }, "'wait' option is incompatible with socket in client connect mode"],
    [{ path: "/x", server: "on", reconnect: "1" }, "'reconnect' option is incompatible with socket in server listen mode"],
    [{ path: "/x", server: "maybe" }, "Parameter 'server' expects 'on' or 'off'"],
  ])("refuses %j in QEMU's words", async (options, text) => {
    await expect(open("socket", options)).rejects.toThrow(text);
  });

  it("says that a TCP port is taken as QEMU does", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const port = String((server.address() as { port: number }).port);
    const refused = open("socket", { host: "127.0.0.1", port, ...listening });
    await expect(refused).rejects.toThrow("Failed to find an available port: Address already in use");
    server.close();
  });
});

describe("the others", () => {
  it("talks over stdio, once, and outlives the end of its input", async () => {
    const chardev = await open("stdio");
    shouting(chardev);
    surroundings.stdin.end("a\n");
    await new Promise((resolve) => surroundings.stdin.once("end", resolve));
    expect(String(surroundings.stdout.read())).toBe("HELLO\nA\n");
    expect(surroundings.stdout.writableEnded).toBe(false);
    await expect(open("stdio")).rejects.toThrow("cannot use stdio by multiple character devices");
  });

  it("keeps what comes over stdio before anybody takes it, and its end", async () => {
    surroundings.stdin.end("a\n");
    const chardev = await open("stdio");
    await new Promise((resolve) => setTimeout(resolve));
    shouting(chardev);
    await new Promise((resolve) => surroundings.stdin.once("end", resolve));
    expect(String(surroundings.stdout.read())).toBe("HELLO\nA\n");
  });

  it("writes into a file, new or appended to", async () => {
    const path = join(folder, "f");
    for (const append of ["off", "on"]) {
      const chardev = await open("file", { path, append });
      chardev.write("line\n");
      const size = append === "on" ? 10 : 5;
      await chardev.close();
      while (readFileSync(path).length < size) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(readFileSync(path, "utf8")).toBe("line\nline\n");
  });

  it("keeps the newest bytes in a ring buffer", async () => {
    const chardev = (await open("ringbuf", { size: "8" })) as RingbufChardev;
    chardev.write("0123456789");
    expect(chardev.read(3).toString()).toBe("234");
    expect(chardev.read(100).toString()).toBe("56789");
  });

  it("makes a terminal, under a name of its own where one is asked for, and takes that away", async () => {
    const path = join(folder, "terminal");
    const chardev = await open("pty", { path });
    shouting(chardev);
    const terminal = readlinkSync(path);
    expect(chardev.filename).toBe(`pty:${terminal}`);
    expect(String(surroundings.stdout.read())).toBe(`char device redirected to ${terminal} (label c)\n`);
    // The greeting was written before anybody looked.
    const reader = 'exec 3<>"$1"; head -c 6 <&3; printf "abc\\n" >&3; head -c 5 <&3';
    const { stdout } = await promisify(execFile)("sh", ["-c", reader, "sh", terminal]);
    expect(stdout).toBe("HELLO\nABC\r\n");
    await chardev.close();
    expect(existsSync(path)).toBe(false);
  });

  it.each<[string, Record<string, string>, string]>([
    ["nosuch", {}, "'nosuch' is not a valid char driver name"],
    ["pty", { path: "/nosuch/x" }, "Failed to create PTY symlink: No such file or directory"],
    ["file", {}, "chardev: file: no filename given"],
    ["file", { path: "/nosuch/x" }, "Could not open '/nosuch/x': No such file or directory"],
    ["pipe", {}, "chardev: pipe: no device path given"],
    ["pipe", { path: "/nosuch/x" }, "Could not open '/nosuch/x': No such file or directory"],
    ["ringbuf", { size: "100" }, "size of ringbuf chardev must be power of two"],
  ])("refuses %s %j in QEMU's words", async (backend, options, text) => {
    await expect(open(backend, options)).rejects.toThrow(text);
  });
});
