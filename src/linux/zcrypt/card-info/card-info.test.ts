import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { printSeed, runParameters } from "../../../../test/properties/seed.ts";
import { ep11Reply, errorReply, type86Reply } from "../../../../test/support/adapter-replies.ts";
import { TestHost } from "../../../../test/support/test-host.ts";
import { type AdapterProcessor, silentProcessor } from "../../../machine/adapter/processor.ts";
import { Wait } from "../../../sysfs/wait.ts";

printSeed("src/linux/zcrypt/card-info/card-info.test.ts");

const devices = "/sys/bus/ap/devices";
const u16 = (value: number): Buffer => Buffer.of(value >> 8, value & 0xff);
const block = (bytes: Uint8Array): Buffer => Buffer.concat([u16(bytes.length + 2), bytes]);

interface Registers {
  /** States of the cells from 4 on. */
  readonly states: string;
  readonly patterns: Readonly<Record<number, string>>;
}

/** The answer to FQ: cells of eight characters, then an array with patterns at their offsets. */
function queryReply({ states, patterns }: Registers, firstCell: number, cells: number, variables: number): Buffer {
  const rules = Buffer.alloc(8 * cells, " ");
  rules.write("93AABEFF", 0, "latin1");
  for (const [index, state] of [...states].entries()) rules.write(state, 8 * (firstCell + index), "latin1");
  const array = Buffer.alloc(variables);
  for (const [offset, pattern] of Object.entries(patterns)) array.write(pattern, Number(offset), "hex");
  return type86Reply(Buffer.concat([Buffer.from("FQ"), block(rules), block(array)]), Buffer.alloc(0));
}

const staticsA: Registers = {
  states: "122321",
  patterns: { 64: "aa".repeat(16), 84: "bb".repeat(16), 172: "11".repeat(8), 184: "22".repeat(8), 196: "33".repeat(8) },
};
const staticsB: Registers = { states: "212", patterns: { 208: "44".repeat(8), 220: "55".repeat(8), 232: "66".repeat(8) } };

const replyTo = (keyword: string): Buffer =>
  keyword === "STATICSA" ? queryReply(staticsA, 4, 10, 204) : queryReply(staticsB, 10, 13, 240);

/** Answers FQ; the keyword of each question is noted. */
function ccaHost(answer: (keyword: string) => Buffer = replyTo, domains = [4]) {
  const asked: string[] = [];
  const processor: AdapterProcessor = ({ message, adapter, domain }, reply) => {
    const request = Buffer.from(message);
    const keyword = request.toString("latin1", 312, 320);
    asked.push(`${adapter}.${domain} ${request.toString("latin1", 308, 310)} ${keyword}`);
    expect([request.length, request.readUInt16BE(310), request.readUInt16BE(320), request.readUInt16BE(4418)]).toEqual([4420, 10, 4098, 2]);
    reply(answer(keyword));
  };
  return { host: new TestHost({ adapters: { 5: "CEX7C" }, usage: domains, processor }), asked };
}

const unknown = ["AES", "APKA", "ASYM"].flatMap((kind) => ["NEW", "CUR", "OLD"].map((name) => `${kind} ${name}: - -\n`)).join("");

describe("the files of a CCA coprocessor", () => {
  test("say what the card answers to its two questions", () => {
    const { host, asked } = ccaHost();
    expect(host.read(`${devices}/card05/serialnr`)).toBe("93AABEFF\n");
    expect(host.read(`${devices}/05.0004/mkvps`)).toBe(
      [
        "AES NEW: full 0x3333333333333333",
        "AES CUR: valid 0x2222222222222222",
        "AES OLD: invalid 0x0000000000000000",
        "APKA NEW: partial 0x0000000000000000",
        "APKA CUR: invalid 0x0000000000000000",
        "APKA OLD: valid 0x4444444444444444",
        `ASYM NEW: empty 0x${"0".repeat(32)}`,
        `ASYM CUR: valid 0x${"b".repeat(32)}`,
        `ASYM OLD: valid 0x${"a".repeat(32)}`,
        "",
      ].join("\n"),
    );
    expect(asked).toEqual(["5.4 FQ STATICSA", "5.4 FQ STATICSB", "5.4 FQ STATICSA", "5.4 FQ STATICSB"]);
    expect(host.read(`${devices}/card05/request_count`)).toBe("4\n");
  });

  test("ask the queue itself for its patterns, and any queue of the card for its number", () => {
    const { host, asked } = ccaHost(replyTo, [4, 9]);
    host.read(`${devices}/05.0009/mkvps`);
    expect(asked.splice(0)).toEqual(["5.9 FQ STATICSA", "5.9 FQ STATICSB"]);
    host.write(`${devices}/05.0009/online`, "0");
    expect(host.read(`${devices}/card05/serialnr`)).toBe("93AABEFF\n");
    expect(asked.splice(0)).toEqual(["5.4 FQ STATICSA", "5.4 FQ STATICSB"]);
    expect(host.read(`${devices}/05.0009/mkvps`)).toBe(unknown);
    expect(asked).toEqual([]);
  });

  test.each<[string, (keyword: string) => Buffer, string, string]>([
    ["an error", () => errorReply(0x82, 0x8a), "\n", unknown],
    ["nothing worth a retry", () => errorReply(0x82, 0x90), "\n", unknown],
    ["a return code", () => type86Reply(Buffer.from("FQ"), Buffer.alloc(0), { returnCode: 8, reasonCode: 90 }), "\n", unknown],
    ["short arrays", () => queryReply(staticsA, 4, 9, 203), "\n", unknown],
    ["no arrays", () => type86Reply(Buffer.from("FQ"), Buffer.alloc(0)), "\n", unknown],
  ])("that answers with %s say that nothing is known", (_title, answer, serial, patterns) => {
    const { host } = ccaHost(answer);
    expect(host.read(`${devices}/card05/serialnr`)).toBe(serial);
    expect(host.read(`${devices}/05.0004/mkvps`)).toBe(patterns);
  });

  test("show what the first question told when the second is refused later", () => {
    let questions = 0;
    const { host } = ccaHost((keyword) => (++questions % 2 === 0 ? queryReply(staticsA, 4, 10, 204) : replyTo(keyword)));
    expect(host.read(`${devices}/card05/serialnr`)).toBe("93AABEFF\n");
    expect(host.read(`${devices}/05.0004/mkvps`).split("\n").slice(2, 6)).toEqual([
      "AES OLD: invalid 0x0000000000000000",
      "APKA NEW: - -",
      "APKA CUR: - -",
      "APKA OLD: - -",
    ]);
  });

  test("have states that no register has as unknown", () => {
    const { host } = ccaHost((keyword) =>
      keyword === "STATICSA" ? queryReply({ ...staticsA, states: "0x9A34" }, 4, 10, 204) : replyTo(keyword),
    );
    const lines = host.read(`${devices}/05.0004/mkvps`).split("\n");
    expect(lines.slice(0, 3)).toEqual(["AES NEW: - -", "AES CUR: - -", "AES OLD: - -"]);
    expect(lines.slice(6, 9)).toEqual(["ASYM NEW: - -", "ASYM CUR: - -", "ASYM OLD: - -"]);
  });

  test("hold up who reads them until the card answers; a signal ends that", () => {
    const host = new TestHost({ adapters: { 5: "CEX7C" }, usage: [4], processor: silentProcessor });
    const reading = host.host.read(`${devices}/05.0004/mkvps`);
    if (!(reading instanceof Wait)) throw new Error("it did not wait");
    host.host.settle();
    expect([reading.outcome, host.read(`${devices}/05.0004/pendingq_count`)]).toEqual([undefined, "1\n"]);
    reading.interrupt();
    host.host.settle();
    expect([reading.outcome, host.read(`${devices}/05.0004/pendingq_count`)]).toEqual([{ value: unknown }, "0\n"]);
  });
});

const value = (number: number): Buffer => Buffer.from([4, 4, number >>> 24, (number >>> 16) & 0xff, (number >>> 8) & 0xff, number & 0xff]);

/** The answer to function 38. */
function infoReply(info: Uint8Array, returnValue = 0): Buffer {
  const data = Buffer.concat([Buffer.of(4, 0x82), u16(info.length), info]);
  const body = Buffer.concat([value(0x10026), value(4), value(returnValue), data]);
  return ep11Reply(Buffer.concat([Buffer.of(0x30, 0x82), u16(body.length), body]));
}

function moduleInfo(serial: string, modes: bigint): Buffer {
  const info = Buffer.alloc(196);
  info.writeUInt32BE(4, 0);
  info[8] = 3;
  info[9] = 17;
  info.write(serial, 108, "latin1");
  info.writeBigUInt64BE(modes, 140);
  return info;
}

function domainInfo(flags: number, modes = 0n): Buffer {
  const info = Buffer.alloc(80);
  info.fill(0xcc, 4, 36);
  info.fill(0xdd, 36, 68);
  info.writeUInt32BE(flags, 68);
  info.writeBigUInt64BE(modes, 72);
  return info;
}

/** Answers questions of type 1 and 3. */
function ep11Host(answer: (type: number) => Buffer, domains = [4]) {
  const asked: string[] = [];
  const processor: AdapterProcessor = ({ message, adapter, domain }, reply) => {
    const request = Buffer.from(message);
    const values = [124, 130, 136, 142].map((offset) => request.readUInt32BE(offset + 2));
    asked.push(`${adapter}.${domain} ${values.map((number) => number.toString(16)).join(" ")}`);
    reply(answer(values[2] ?? -1));
  };
  return { host: new TestHost({ adapters: { 5: "CEX8P" }, usage: domains, processor }), asked };
}

describe("the files of an EP11 coprocessor", () => {
  test("say what the card answers", () => {
    const { host, asked } = ep11Host((type) => infoReply(type === 1 ? moduleInfo("93AADEADBEEF0001", 0x1ffn) : domainInfo(0x12, 0x41n)));
    const file = (name: string): string => host.read(`${devices}/${name}`);
    expect([file("card05/API_ordinalnr"), file("card05/FW_version"), file("card05/serialnr")]).toEqual([
      ...["4\n", "3.17\n"],
      "93AADEADBEEF0001\n",
    ]);
    expect(file("card05/op_modes")).toBe("FIPS2009 BSI2009 FIPS2011 BSI2011 SIGG-IMPORT SIGG BSICC2017 FIPS2021 FIPS2024\n");
    expect(file("05.0004/op_modes")).toBe("FIPS2009 BSICC2017\n");
    expect(asked.at(0)).toBe("5.4 10026 4 1 0");
    expect(asked.at(-1)).toBe("5.4 10026 4 3 0");
  });

  test.each([
    [0x12, "valid 0xc", "empty -"],
    [0x16, "valid 0xc", "uncommitted 0xd"],
    [0x1e, "valid 0xc", "committed 0xd"],
    [0x18, "invalid -", "committed 0xd"],
    [0x10, "invalid -", "empty -"],
    [0x0e, "invalid -", "empty -"],
  ])("say by the flags 0x%i which wrapping keys there are", (flags, current, next) => {
    const { host } = ep11Host(() => infoReply(domainInfo(flags)));
    const text = (short: string): string => short.replace(/0x(.)/, (_all, digit: string) => `0x${digit.repeat(64)}`);
    expect(host.read(`${devices}/05.0004/mkvps`)).toBe(`WK CUR: ${text(current)}\nWK NEW: ${text(next)}\n`);
  });

  const unsaid = ["\n", "\n", "\n", "\n", "WK CUR: - -\nWK NEW: - -\n", "\n"];
  const files = ["card05/API_ordinalnr", "card05/FW_version", "card05/serialnr", "card05/op_modes", "05.0004/mkvps", "05.0004/op_modes"];

  test.each<[string, () => Buffer]>([
    ["an error", () => errorReply(0x82, 0x30)],
    ["a return code", () => ep11Reply(Buffer.alloc(30), { returnCode: 0xc0003 })],
    ["a return value", () => infoReply(Buffer.alloc(80), 5)],
    ["more than there is", () => infoReply(Buffer.alloc(197))],
    ["no payload", () => ep11Reply(Buffer.alloc(0))],
    ["another tag", () => Object.assign(infoReply(Buffer.alloc(80)), { 80: 0x31 })],
    ["data in the short form", () => Object.assign(infoReply(Buffer.alloc(80)), { 103: 0x50 })],
  ])("that answers with %s say that nothing is known", (_title, answer) => {
    const { host } = ep11Host(answer);
    expect(files.map((name) => host.read(`${devices}/${name}`))).toEqual(unsaid);
  });

  test("do not ask a queue that is offline", () => {
    const { host, asked } = ep11Host(() => infoReply(domainInfo(0x12)));
    host.write(`${devices}/05.0004/online`, "0");
    expect([host.read(`${devices}/05.0004/mkvps`), host.read(`${devices}/05.0004/op_modes`), asked]).toEqual([...unsaid.slice(4), []]);
  });

  test("show zeros of a card as nothing known", () => {
    const { host } = ep11Host(() => infoReply(Buffer.alloc(10)));
    expect(files.slice(0, 4).map((name) => host.read(`${devices}/${name}`))).toEqual(["\n", "\n", "\n", "\n"]);
    const short = ep11Host(() => infoReply(moduleInfo("12345", 0n)));
    expect(short.host.read(`${devices}/card05/serialnr`)).toBe("           12345\n");
  });
});

test("whatever a card answers, its files have a text", () => {
  const good = [replyTo("STATICSA"), replyTo("STATICSB"), infoReply(moduleInfo("x", 3n)), infoReply(domainInfo(0x1e))];
  const change = fc.record({ at: fc.nat(), byte: fc.integer({ min: 0, max: 255 }) });
  const texts = new Set<string>();
  fc.assert(
    fc.property(fc.constantFrom(...good), fc.array(change, { maxLength: 3 }), fc.option(fc.nat(600)), (start, changes, length) => {
      const reply = Buffer.alloc(length ?? start.length);
      start.copy(reply);
      for (const { at, byte } of changes) if (reply.length > 0) reply[at % reply.length] = byte;
      const host = new TestHost({ adapters: { 5: "CEX7C", 6: "CEX8P" }, usage: [4], processor: (_request, answer) => answer(reply) });
      for (const name of ["card05/serialnr", "05.0004/mkvps", "card06/serialnr", "card06/op_modes", "06.0004/mkvps"]) {
        texts.add(host.read(`${devices}/${name}`));
      }
    }),
    runParameters(150),
  );
  expect(texts.size).toBeGreaterThan(5);
});
