import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { GdbClient } from "./gdb-client.ts";
import { ToyStub } from "./toy-stub.ts";

let folder: string;
let stub: ToyStub;
let client: GdbClient;
let answers: Record<string, string>;

beforeEach(async () => {
  answers = {};
  folder = mkdtempSync(join(tmpdir(), "gdb-"));
  stub = await ToyStub.listen(join(folder, "gdb"), (packet) => answers[packet]);
  client = await GdbClient.connect(stub.path);
});

afterEach(() => {
  client.close();
  stub.close();
  rmSync(folder, { recursive: true });
});

const gone = "the gdb stub is gone";

describe("a request", () => {
  test("gets its reply", async () => {
    answers["m1d0,10"] = "00ff";
    expect(await client.request("m1d0,10")).toBe("00ff");
    expect(stub.inputs).toEqual(["m1d0,10"]);
  });

  test("may follow another before that is answered, and each gets its own", async () => {
    const replies = [client.request("one"), client.request("two"), client.request("three")];
    await stub.until(() => stub.inputs.length === 3);
    stub.say("$1#31+$2#32");
    stub.say("$3#33");
    expect(await Promise.all(replies)).toEqual(["1", "2", "3"]);
  });

  test("that is a command is done by OK alone", async () => {
    answers.D = "OK";
    answers.G00 = "E22";
    answers.unknown = "";
    await client.command("D");
    await expect(client.command("G00")).rejects.toThrow('the gdb stub answers "E22" to G00');
    await expect(client.command("unknown")).rejects.toThrow('the gdb stub answers "" to unknown');
  });
});

describe("bytes that are sent as they are", () => {
  test("take as many replies out of the way as they say, and no more", async () => {
    client.send("$D#44++$c#63", 2);
    const reply = client.request("g");
    await stub.until(() => stub.inputs.length === 5);
    expect(stub.pieces.join("")).toBe("$D#44++$c#63$g#67");
    stub.say("$OK#9a$OK#9a$77#6e");
    expect(await reply).toBe("77");
  });

  test("take none out of the way by themselves", async () => {
    client.send("+");
    answers.g = "77";
    expect(await client.request("g")).toBe("77");
  });
});

describe("a stub that goes", () => {
  test("fails every request that waits and every one that comes", async () => {
    const waiting = [client.request("one"), client.command("two")].map((reply) => expect(reply).rejects.toThrow(gone));
    client.send("$x#78", 1);
    await stub.until(() => stub.inputs.length === 3);
    stub.hangUp();
    await Promise.all(waiting);
    await client.closed;
    expect(client.isClosed).toBe(true);
    await expect(client.request("three")).rejects.toThrow(gone);
    client.send("+");
  });

  test("is the same when it is we who close", async () => {
    const waiting = expect(client.request("one")).rejects.toThrow(gone);
    expect(client.isClosed).toBe(false);
    client.close();
    await waiting;
    expect(client.isClosed).toBe(true);
  });

  test.each([
    ["speaks another protocol", "HTTP/1.1 200 OK"],
    ["sends a damaged packet", "$OK#00"],
    ["refuses a packet", "-"],
    ["sends a packet without end", `$${"0".repeat(70_000)}`],
  ])("or %s ends the connection and fails what waits", async (_title, bytes) => {
    const waiting = expect(client.request("one")).rejects.toThrow(gone);
    await stub.until(() => stub.inputs.length === 1);
    stub.say(bytes);
    await waiting;
    expect(client.isClosed).toBe(true);
  });
});

test.each([
  ["ENOENT", "nothing is"],
  ["ECONNREFUSED", "nobody listens"],
])("a connection is refused with %s where %s", async (code) => {
  writeFileSync(join(folder, "file"), "");
  await expect(GdbClient.connect(join(folder, code === "ENOENT" ? "nothing" : "file"))).rejects.toMatchObject({ code });
});
