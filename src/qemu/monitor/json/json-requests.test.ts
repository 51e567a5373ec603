import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type JsonRequest, JsonRequests } from "./json-requests.ts";
import { jsonText } from "./json-text.ts";

const requestsIn = (...pieces: (string | Uint8Array)[]): JsonRequest[] => {
  const found: JsonRequest[] = [];
  const requests = new JsonRequests((request) => found.push(request));
  for (const piece of pieces) {
    let rest = Buffer.from(piece as string);
    while (rest.length > 0) rest = rest.subarray(requests.feed(rest));
  }
  return found;
};

const said = (...pieces: (string | Uint8Array)[]): string[] =>
  requestsIn(...pieces).map((request) =>
    "value" in request ? jsonText(request.value) : request.problem.replace("JSON parse error, ", "! "),
  );

describe("JsonRequests", () => {
  // What QEMU's own parser answers to these, typed into its QMP monitor.
  it.each([
    ['{"execute" "x"}', ["! missing : in object pair"]],
    ["{bad}", ["! invalid keyword 'bad'"]],
    ["{'execute':'it\\'s'}", ['{"execute": "it\'s"}']],
    ['{"execute":"query-name",}', ["! expecting value"]],
    ['{"execute":}', ["! expecting value"]],
    ['{"a":1 "b"}', ["! expected separator in dict"]],
    ["[1 2]", ["! expected separator in list"]],
    ["[}", ["! expecting value"]],
    ["{]", ["! expecting value"]],
    ["} ] , :", ["! expecting value", "! expecting value", "! expecting value", "! expecting value"]],
    ['{"a":1,"a":2}', ["! duplicate key"]],
    ["{1:2}", ["! key is not a string in object"]],
    ['{"a":"\\x"}', ["! invalid escape sequence in string"]],
    ['{"a":"\\u12"}', ['! \\u12" is not a valid Unicode character']],
    ['"\\ud800xyz"', ["! \\ud800 is not a valid Unicode character"]],
    ['"\\ufffe"', ["! \\ufffe is not a valid Unicode character"]],
    ['"\\ud83d\\ude00"', ['"\\uD83D\\uDE00"']],
    ['"\\u0000"', ['"\\u0000"']],
    ['{"execute":"a\tb"}', ["! stray '\"a\t'", "! expecting value"]],
    ['{"execute":%s}', ["! stray '%'", "! expecting value"]],
    ['#foo bar{"execute":"x"}', ["! stray '#'", '{"execute": "x"}']],
    ["#foo bar\n5 ", ["! stray '#'", "5"]],
    ["01\n", ["! stray '01'"]],
    ["1.\n", ["! stray '1.\n'"]],
    ["tRUE\n", ["! invalid keyword 't'", "! stray 'R'"]],
    ['"abc\n', ["! stray '\"abc\n'"]],
    ["1.5 1e3 0.1 -0 1e-7 1e17 1e999 ", ["1.5", "1000", "0.10000000000000001", "0", "9.9999999999999995e-08", "1e+17", "inf"]],
    ["12345678901234567890 123456789012345678901234 ", ["12345678901234567890", "1.2345678901234569e+23"]],
    ['{"b":1,"a":[true,null,{}],"c":[]}', ['{"a": [true, null, {}], "b": 1, "c": []}']],
    ['"é\\u0001\u007f\\/<>&"', ['"\\u00E9\\u0001\\u007F/<>&"']],
  ])("answers %j as QEMU does", (input, expected) => {
    expect(said(input)).toEqual(expected);
  });

  it("refuses what is no UTF-8, takes two bytes for NUL, and quotes a byte that cannot be as U+FFFD", () => {
    expect(said(Buffer.from('"\xc3("', "latin1"))).toEqual(["! invalid UTF-8 sequence in string"]);
    expect(said(Buffer.from('"\xed\xa0\x80"', "latin1"))).toEqual(["! invalid UTF-8 sequence in string"]);
    expect(said(Buffer.from('"\xc0\x80"', "latin1"))).toEqual(['"\\u0000"']);
    expect(said(Buffer.from("\xff", "latin1"))).toEqual(["! stray '\ufffd'"]);
  });

  it("refuses the 1025th open bracket, and goes on with what follows", () => {
    expect(said("[".repeat(1025), '{"a":1}')).toEqual(["JSON nesting depth limit exceeded", '{"a": 1}']);
    expect(said("[".repeat(1024), "]".repeat(1024))).toHaveLength(1);
  });

  it("refuses an endless string and an endless list before they fill the memory", () => {
    const piece = "a".repeat(1 << 20);
    expect(said('"', piece, piece, piece, piece, piece, '"\n', "5 ")).toEqual(["JSON token size limit exceeded", "5"]);
    expect(said("[", "0,".repeat(70_000))).toContain("JSON token count limit exceeded");
  });

  it("finds the same in a stream however it is cut", () => {
    const part = fc.oneof(
      fc.json(),
      fc.string({ unit: "binary" }),
      fc.constantFrom("{", "}", "[", "]", '"', "'", "\\", ",", ":", "\n", "1.", "-", "e"),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), (parts, cuts) => {
        const bytes = Buffer.from(parts.join(""));
        const pieces: Uint8Array[] = [];
        for (let at = 0, cut = 0; at < bytes.length; at += pieces.at(-1)!.length, cut++) {
          pieces.push(bytes.subarray(at, at + cuts[cut % cuts.length]!));
        }
        expect(said(...pieces)).toEqual(said(bytes));
      }),
      { numRuns: 300 },
    );
  });

  it("understands a request after any bytes at all, once a line has ended and what is open is closed", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        // 0xff is in no text: it ends every token and drops what is unfinished.
        expect(said(bytes, Uint8Array.of(0xff, 0x0a), '{"a":1}').at(-1)).toBe('{"a": 1}');
      }),
      { numRuns: 500 },
    );
  });

  it("keeps any JSON as it is", () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: true }), (value) => {
        const [text] = said(`${JSON.stringify([value])}\n`);
        expect(JSON.parse(text!)).toEqual([JSON.parse(JSON.stringify(value))]);
      }),
      { numRuns: 200 },
    );
  });
});
