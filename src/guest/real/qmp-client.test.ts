import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { QemuError } from "../../qemu/qemu-error.ts";
import { QmpClient } from "./qmp-client.ts";

interface Request {
  readonly execute: string;
  readonly arguments: unknown;
  readonly id: number;
}

let folder: string;
let server: Server;
let monitor: Socket;
let requests: Request[];
/** What the monitor says to a command; nothing by itself for any but the first. */
let answer: (request: Request) => void;
let waiting: (() => void)[];
let client: QmpClient;

const say = (...messages: readonly (object | string)[]): void => {
  monitor.write(messages.map((message) => `${typeof message === "string" ? message : JSON.stringify(message)}\r\n`).join(""));
};

async function asked(count: number): Promise<void> {
  while (requests.length < count) await new Promise<void>((resolve) => waiting.push(resolve));
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "qmp-"));
  requests = [];
  waiting = [];
  answer = ({ execute, id }) => execute === "qmp_capabilities" && say({ return: {}, id });
  server = createServer((socket) => {
    monitor = socket;
    socket.on("error", () => {});
    say({ QMP: { version: { qemu: { major: 7, minor: 2, micro: 0 } }, capabilities: ["oob"] } });
    socket.on("data", (bytes) => {
      for (const line of bytes.toString().split("\n").filter(Boolean)) {
        const request = JSON.parse(line) as Request;
        requests.push(request);
        answer(request);
      }
      for (const resolve of waiting.splice(0)) resolve();
    });
  });
  await new Promise<void>((resolve) => server.listen(join(folder, "qmp"), resolve));
  client = await QmpClient.connect(join(folder, "qmp"));
});

afterEach(() => {
  client.close();
  monitor.destroy();
  server.close();
  rmSync(folder, { recursive: true });
});

const gone = "the QEMU that runs this guest is gone";

describe("a client of a stock QEMU's monitor", () => {
  test("has said qmp_capabilities when it is connected", () => {
    expect(requests).toEqual([{ execute: "qmp_capabilities", arguments: {}, id: 1 }]);
  });

  test("gives each command its own answer, in whatever order they come", async () => {
    const answers = [client.execute("query-block", {}), client.execute("query-pci", { a: [1] })];
    await asked(3);
    expect(requests.slice(1).map(({ execute, arguments: values }) => [execute, values])).toEqual([
      ["query-block", {}],
      ["query-pci", { a: [1] }],
    ]);
    const [, block, pci] = requests as [Request, Request, Request];
    say({ return: [2], id: pci.id }, { return: [{ device: "d" }], id: block.id });
    expect(await Promise.all(answers)).toEqual([[{ device: "d" }], [2]]);
  });

  test("passes a refusal on with its class and its words", async () => {
    const refused = client.execute("device_del", { id: "x" }).catch((error: unknown) => error);
    await asked(2);
    say({ error: { class: "DeviceNotFound", desc: "Device 'x' not found" }, id: requests[1]!.id });
    expect(await refused).toBeInstanceOf(QemuError);
    expect(await refused).toMatchObject({ message: "Device 'x' not found", errorClass: "DeviceNotFound" });
  });

  test("takes messages that come in pieces, also within a letter", async () => {
    const name = client.execute("query-name", {});
    await asked(2);
    const bytes = Buffer.from(`${JSON.stringify({ return: { name: "grüße" }, id: requests[1]!.id })}\r\n`);
    const cut = bytes.indexOf(0xc3) + 1;
    const heard = new Promise<void>((resolve) => client.watch(() => resolve()));
    monitor.write(Buffer.concat([Buffer.from('{"event": "RESUME"}\r\n'), bytes.subarray(0, cut)]));
    await heard;
    monitor.write(bytes.subarray(cut));
    expect(await name).toEqual({ name: "grüße" });
  });

  test("tells its listener and every watcher of events, also amid answers", async () => {
    const heard: unknown[] = [];
    client.onEvent((event) => heard.push(["listener", event]));
    client.watch((event) => heard.push(["first", event.event]));
    client.watch((event) => heard.push(["second", event.event]));
    const done = client.execute("stop", {});
    await asked(2);
    say({ event: "STOP", timestamp: { seconds: 1, microseconds: 2 } });
    say({ event: "DEVICE_DELETED", data: { path: "/x" }, timestamp: {} }, { return: {}, id: requests[1]!.id });
    await done;
    expect(heard).toEqual([
      ["first", "STOP"],
      ["second", "STOP"],
      ["listener", { event: "STOP" }],
      ["first", "DEVICE_DELETED"],
      ["second", "DEVICE_DELETED"],
      ["listener", { event: "DEVICE_DELETED", data: { path: "/x" } }],
    ]);
  });

  test.each(["", "garbage", "[1]", "7", "null", '{"return": {}, "id": 999}', '{"return": {}}', '{"event": 7}', "{"])(
    "passes over the line %j",
    async (line) => {
      const done = client.execute("stop", {});
      await asked(2);
      say(line, { return: "done", id: requests[1]!.id });
      expect(await done).toBe("done");
    },
  );
});

describe("a stock QEMU that goes", () => {
  test("fails the commands that wait and those that come", async () => {
    const waitingOnes = [client.execute("stop", {}), client.execute("cont", {})].map((done) => expect(done).rejects.toThrow(gone));
    await asked(3);
    monitor.destroy();
    await Promise.all(waitingOnes);
    await client.closed;
    await expect(client.execute("stop", {})).rejects.toThrow(QemuError);
  });

  test("is the same when it is we who close", async () => {
    const done = expect(client.execute("stop", {})).rejects.toThrow(gone);
    client.close();
    await done;
    await client.closed;
  });

  test("before it took the first command leaves no client", async () => {
    answer = () => monitor.destroy();
    await expect(QmpClient.connect(join(folder, "qmp"))).rejects.toThrow(gone);
  });
});

test.each([
  ["ENOENT", "nothing is"],
  ["ECONNREFUSED", "nobody listens"],
])("a connection is refused with %s where %s", async (code) => {
  writeFileSync(join(folder, "file"), "");
  await expect(QmpClient.connect(join(folder, code === "ENOENT" ? "nothing" : "file"))).rejects.toMatchObject({ code });
});
