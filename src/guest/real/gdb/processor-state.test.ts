import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { GdbClient } from "./gdb-client.ts";
import { decodeProcessorState, encodeProcessorState, firstControlRegister } from "./processor-state.ts";
import { ToyStub } from "./toy-stub.ts";

/** As a stub of QEMU 7.2 sent it for a guest in its kernel, then access and floating-point registers, shortened. */
const psw = "0704c00180000000" + "000003ffe0105a2c";
const general =
  "00000000000000ab" +
  "0000000001000000" +
  "ffffffffffffffff" +
  "000003ffe0c3b000" +
  "0000000080000000" +
  "0123456789abcdef".repeat(10) +
  "00000380001ffd60";
const rest = "00000000000000010203";
const text = psw + general + rest;

describe("a processor's state", () => {
  test("is its PSW and its general registers, from their place in the text", () => {
    const state = decodeProcessorState(text);
    expect(state.psw).toEqual({ mask: 0x0704_c001_8000_0000n, address: 0x3ff_e010_5a2cn });
    expect([...state.registers.subarray(0, 12)]).toEqual([
      0, 0xab, 0, 0x0100_0000, 0xffffffff, 0xffffffff, 0x3ff, 0xe0c3b000, 0, 0x80000000, 0x01234567, 0x89abcdef,
    ]);
    expect([...state.registers.subarray(30)]).toEqual([0x380, 0x001f_fd60]);
    expect(state.registers).toHaveLength(32);
  });

  test("goes back as it came, with all that stands behind it", () => {
    expect(encodeProcessorState(decodeProcessorState(text), text)).toBe(text);
  });

  test("goes back with what was changed, in all its digits", () => {
    const { registers } = decodeProcessorState(text);
    registers[2] = 0x0a;
    registers[31] = 0xffffffff;
    const changed = encodeProcessorState({ psw: { mask: 1n, address: 0x10000n }, registers }, text);
    expect(changed).toBe(`00000000000000010000000000010000${general.slice(0, 16)}0000000a${general.slice(24, -8)}ffffffff${rest}`);
  });

  test.each(["", "E01", text.slice(0, 32 + 255)])("is not in the text %j", (reply) => {
    expect(() => decodeProcessorState(reply)).toThrow("the gdb stub has no registers");
  });

  test("is whole where nothing stands behind it", () => {
    expect(encodeProcessorState(decodeProcessorState(psw + general), psw + general)).toBe(psw + general);
  });
});

describe("the number of control register 0", () => {
  let folder: string;
  let stub: ToyStub;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "gdb-"));
  });
  afterEach(() => {
    stub.close();
    rmSync(folder, { recursive: true });
  });

  async function numberFrom(files: Readonly<Record<string, string>>, pieceBytes = 4091): Promise<number> {
    stub = await ToyStub.listen(join(folder, "gdb"), (packet) => {
      const [, file = "", start = ""] = /^qXfer:features:read:([^:]+):([0-9a-f]+),ffb$/.exec(packet) ?? [];
      const from = Number.parseInt(start, 16);
      const content = files[file];
      if (content === undefined) return "E00";
      return `${from + pieceBytes < content.length ? "m" : "l"}${content.slice(from, from + pieceBytes)}`;
    });
    const client = await GdbClient.connect(stub.path);
    try {
      return await firstControlRegister(client);
    } finally {
      client.close();
    }
  }

  const registers = (...names: string[]): string => names.map((name) => `<reg name="${name}" bitsize="64" type="uint64"/>\n`).join("");
  const target = '<target><xi:include href="s390x-core64.xml"/><xi:include href="s390-cr.xml"/></target>';

  test("counts the registers of all files before it, and of its own", async () => {
    const files = {
      "target.xml": target,
      "s390x-core64.xml": registers("pswm", "pswa", "r0"),
      "s390-cr.xml": registers("x", "cr0", "cr1"),
    };
    expect(await numberFrom(files)).toBe(4);
  });

  test("is the same for files that come in pieces", async () => {
    const many = registers("pswm", "pswa", ...Array.from({ length: 300 }, (_, index) => `r${index}`));
    const files = { "target.xml": target, "s390x-core64.xml": many, "s390-cr.xml": registers("cr0") };
    expect(await numberFrom(files)).toBe(302);
    expect(stub.inputs).toContain("qXfer:features:read:s390x-core64.xml:ffb,ffb");
  });

  test.each([
    ["has none", { "target.xml": target, "s390x-core64.xml": registers("r0"), "s390-cr.xml": "" }],
    ["describes nothing", { "target.xml": "" }],
    ["lacks a file", { "target.xml": target }],
  ])("is unknown where the stub %s", async (_title, files) => {
    await expect(numberFrom(files)).rejects.toThrow("the gdb stub describes no control registers");
  });
});
