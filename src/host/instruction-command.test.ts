import fc from "fast-check";
import * as v from "valibot";
import { beforeEach, describe, expect, test } from "vitest";
import { exampleHost, type TestHost, uuids } from "../../test/support/test-host.ts";
import { Wait } from "../sysfs/wait.ts";
import { decodeAnswer, encodeRequest, executeInstruction, type InstructionCommand, instructionCommand } from "./instruction-command.ts";

const words = (contents: Readonly<Record<number, number>> = {}): number[] => Array.from({ length: 32 }, (_, index) => contents[index] ?? 0);

const command = (change: Readonly<Record<string, unknown>> = {}): Record<string, unknown> => ({
  do: "guest",
  action: "instruction",
  guest: "guest1",
  name: "pqap",
  r1: 0,
  r2: 0,
  registers: words(),
  isProblemState: false,
  operand: "",
  ...change,
});

describe("an AP instruction as a command", () => {
  test("is what the guest's processor asked", () => {
    const registers = Uint32Array.from(words({ 1: 0xffffffff, 31: 7 }));
    const request = encodeRequest({
      instruction: { name: "nqap", r1: 4, r2: 6 },
      registers,
      isProblemState: true,
      operand: Buffer.from([0, 255, 10]),
    });
    const encoded = JSON.parse(JSON.stringify({ do: "guest", action: "instruction", guest: "guest1", ...request }));
    expect(v.parse(instructionCommand, encoded)).toEqual({
      ...{ do: "guest", action: "instruction", guest: "guest1", name: "nqap", r1: 4, r2: 6 },
      ...{ registers: [...registers], isProblemState: true, operand: "AP8K" },
    });
  });

  test("may carry the 64 KiB that a processor takes at most", () => {
    const { operand } = encodeRequest({
      instruction: { name: "nqap", r1: 4, r2: 6 },
      registers: new Uint32Array(32),
      isProblemState: false,
      operand: Buffer.alloc(64 * 1024),
    });
    expect(v.is(instructionCommand, command({ operand }))).toBe(true);
  });

  test.each([
    ["another instruction", { name: "stfle" }],
    ["too few registers", { registers: words().slice(1) }],
    ["too many registers", { registers: [...words(), 0] }],
    ["a register that is no word", { registers: words({ 3: 2 ** 32 }) }],
    ["a register below zero", { registers: words({ 3: -1 }) }],
    ["a register that is a fraction", { registers: words({ 3: 0.5 }) }],
    ["a register number that there is not", { r1: 16 }],
    ["no state", { isProblemState: undefined }],
    ["a message that is longer than any", { operand: "A".repeat(96 * 1024 + 1) }],
    ["no guest", { guest: "" }],
  ])("with %s is none", (_title, change) => {
    expect(v.is(instructionCommand, command())).toBe(true);
    expect(v.is(instructionCommand, command(change))).toBe(false);
  });
});

describe("an AP instruction of a real guest", () => {
  const [uuid] = uuids;
  const host = exampleHost("7.2");
  host.createMdev(uuid, { adapters: [5, 6], domains: [4] });
  host.startGuest("guest1", uuid);
  const { vm } = host.guest("guest1");
  const run = (change: Readonly<Record<string, unknown>>) => {
    const answer = executeInstruction(host.host, vm, command(change) as InstructionCommand);
    if (answer instanceof Wait) host.host.settle();
    return decodeAnswer(answer instanceof Wait ? ended(answer) : answer);
  };

  test("is done by its virtual machine, with its registers in and out", () => {
    const answer = run({ registers: words({ 1: 0x00800504, 20: 9 }) });
    expect(answer.result).toBe(0);
    expect(answer.registers[1]).toBe(0x00800504);
    // TAPQ gives the adapter's type in general register 2.
    expect(answer.registers[5]! >>> 24).toBe(0x0b);
    expect(answer.registers[20]).toBe(9);
    expect(answer.writes).toEqual([]);
  });

  test("of a queue that is not its own has the response code of one that is not there", () => {
    const answer = run({ registers: words({ 1: 0x0547 }) });
    expect([answer.result, answer.registers[3]]).toEqual([3, 0x00010000]);
  });

  test("gives back what it would write, and where", () => {
    const answer = run({ registers: words({ 1: 0x04000000, 4: 0x3ff, 5: 0xe0001000 }) });
    expect(answer.result).toBe(0);
    expect(answer.writes).toMatchObject([{ address: 0x3ffe0001000 }]);
    expect(answer.writes[0]!.bytes).toHaveLength(128);
    // The guest's adapters and no others.
    expect(Buffer.from(answer.writes[0]!.bytes).toString("hex", 16, 20)).toBe("06000000");
  });

  test("of a program is the interruption that it has", () => {
    expect(run({ isProblemState: true }).result).toBe("privileged-operation");
  });

  test("that sends takes no more of memory than came along", () => {
    const sending = { name: "nqap", r1: 4, r2: 6, registers: words({ 1: 0x40000504, 13: 0x1000, 15: 200 }) };
    expect(run({ ...sending, operand: Buffer.alloc(200).toString("base64") }).result).not.toBe("addressing");
    expect(run({ ...sending, operand: Buffer.alloc(199).toString("base64") }).result).toBe("addressing");
  });

  test("with whatever registers and bytes has an answer", () => {
    const any = fc.record({
      name: fc.constantFrom("pqap", "nqap", "dqap"),
      r1: fc.nat(15),
      r2: fc.nat(15),
      registers: fc.array(fc.oneof(fc.nat(0xffffffff), fc.constantFrom(0, 0x0504, 0x04000000, 0x40000504, 0x80000604)), {
        minLength: 32,
        maxLength: 32,
      }),
      isProblemState: fc.boolean(),
      operand: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString("base64")),
    });
    fc.assert(fc.property(any, (change) => void expect(run(change).registers).toHaveLength(32)));
  });
});

describe("a DQAP of a real guest", () => {
  const [uuid] = uuids;
  let host: TestHost;
  let adapterAnswers: ((reply: Uint8Array) => void)[];
  const ask = (change: Readonly<Record<string, unknown>>): unknown =>
    executeInstruction(host.host, host.guest("guest1").vm, command(change) as InstructionCommand);
  const send = (): unknown => {
    const registers = words({ 1: 0x40000504, 9: 1, 11: 2, 13: 0x1000, 15: 200 });
    return ask({ name: "nqap", r1: 4, r2: 6, registers, operand: Buffer.alloc(200).toString("base64") });
  };
  const receive = (): Wait<unknown> => {
    const answer = ask({ name: "dqap", r1: 4, r2: 6, registers: words({ 1: 0x0504, 13: 0x2000, 15: 4096 }) });
    return answer instanceof Wait ? answer : settled(answer);
  };
  const codeOf = (wait: Wait<unknown>): number => decodeAnswer(ended(wait)).registers[3]! & 0xff0000;

  beforeEach(() => {
    adapterAnswers = [];
    host = exampleHost("7.2", { processor: (_request, reply) => void adapterAnswers.push(reply) });
    host.createMdev(uuid, { adapters: [5, 6], domains: [4] });
    host.startGuest("guest1", uuid);
  });

  test("stands until its reply is there", () => {
    expect(decodeAnswer(send()).result).toBe(0);
    const wait = receive();
    host.host.tick(5);
    expect(wait.outcome).toBeUndefined();
    adapterAnswers[0]!(Buffer.from("a reply"));
    const { result, registers, writes } = decodeAnswer(ended(wait));
    expect([result, registers[9], registers[11], String(writes[0]?.bytes)]).toEqual([0, 1, 2, "a reply"]);
  });

  test("stands for the first reply, not for one behind it", () => {
    send();
    send();
    const wait = receive();
    adapterAnswers[1]!(Buffer.from("the second"));
    expect(wait.outcome).toBeUndefined();
    adapterAnswers[0]!(Buffer.from("the first"));
    expect(String(decodeAnswer(ended(wait)).writes[0]?.bytes)).toBe("the first");
    expect(String(decodeAnswer(ended(receive())).writes[0]?.bytes)).toBe("the second");
  });

  test("stands no longer than ten milliseconds for an adapter that is slow", () => {
    send();
    const wait = receive();
    host.host.tick(host.host.timers.nowMs + 10);
    expect(codeOf(wait)).toBe(0x100000);
  });

  test("stands no longer than its queue has the message", () => {
    send();
    const wait = receive();
    ask({ registers: words({ 1: 0x02000504 }) });
    expect(codeOf(wait)).toBe(0x100000);
  });

  test("does not stand where nothing was sent", () => {
    expect(codeOf(receive())).toBe(0x100000);
  });
});

const settled = (value: unknown): Wait<unknown> => {
  const wait = new Wait<unknown>();
  wait.complete(() => value);
  return wait;
};

function ended({ outcome }: Wait<unknown>): unknown {
  if (!outcome || "error" in outcome) throw new Error("it has not ended well");
  return outcome.value;
}

describe("the answer to an instruction", () => {
  const answer = { result: 0, registers: words(), writes: [{ address: 4096, bytes: "AP8K" }] };

  test("has its bytes as they were", () => {
    expect(decodeAnswer(answer).writes).toEqual([{ address: 4096, bytes: Buffer.from([0, 255, 10]) }]);
  });

  test.each([
    ["a condition code that there is not", { ...answer, result: 4 }],
    ["an interruption that AP has not", { ...answer, result: "protection" }],
    ["too few registers", { ...answer, registers: [] }],
    ["an address below zero", { ...answer, writes: [{ address: -1, bytes: "" }] }],
    ["an address that is a fraction", { ...answer, writes: [{ address: 0.5, bytes: "" }] }],
    ["nothing", null],
  ])("with %s is none", (_title, wrong) => {
    expect(() => decodeAnswer(wrong)).toThrow(v.ValiError);
  });
});
