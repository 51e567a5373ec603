import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { GdbClient } from "./gdb/gdb-client.ts";
import { ToyMachine } from "./gdb/toy-machine.ts";
import { ToyStub } from "./gdb/toy-stub.ts";
import { interrupt } from "./program-interruption.ts";

let folder: string;
let memory: Buffer;
let machine: ToyMachine;
let client: GdbClient;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "gdb-"));
  memory = Buffer.alloc(0x2000, 0xee);
  memory.write("0404c00180000000000003ffe0a00000", 0x1d0, "hex");
  machine = await ToyMachine.listen(join(folder, "gdb"), 1, memory);
  client = await GdbClient.connect(machine.stub.path);
});

afterEach(() => {
  client.close();
  machine.close();
  rmSync(folder, { recursive: true });
});

const psw = { mask: 0x0705_2001_8000_0000n, address: 0x3ff_8000_1000n };

describe("a program interruption", () => {
  test.each([
    ["operation", "0001"],
    ["privileged-operation", "0002"],
    ["addressing", "0005"],
    ["specification", "0006"],
  ] as const)("for %s stores length and code %s", async (interruption, code) => {
    await interrupt(client, interruption, psw, 4);
    expect(memory.toString("hex", 0x8c, 0x90)).toBe(`0004${code}`);
  });

  test("stores the old PSW, behind the instruction, and goes on with the new one", async () => {
    expect(await interrupt(client, "operation", psw, 4)).toEqual({ mask: 0x0404_c001_8000_0000n, address: 0x3ff_e0a0_0000n });
    expect(memory.toString("hex", 0x150, 0x160)).toBe("0705200180000000000003ff80001004");
  });

  test("touches nothing else", async () => {
    const before = Buffer.from(memory);
    await interrupt(client, "operation", psw, 4);
    memory.copy(before, 0x8c, 0x8c, 0x90);
    memory.copy(before, 0x150, 0x150, 0x160);
    expect(memory.equals(before)).toBe(true);
  });

  test("fails where the stub has no such memory", async () => {
    const stub = await ToyStub.listen(join(folder, "other"), (packet) => (packet.startsWith("M") ? "OK" : "E14"));
    const other = await GdbClient.connect(stub.path);
    await expect(interrupt(other, "operation", psw, 4)).rejects.toThrow("the prefix area is not to be read");
    other.close();
    stub.close();
  });
});
