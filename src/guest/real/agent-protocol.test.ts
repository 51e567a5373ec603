import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  AgentDecoder,
  AgentProtocolError,
  closeText,
  helloText,
  inputText,
  maxInputBytes,
  maxLineBytes,
  maxScriptBytes,
  programScript,
  runText,
  signalText,
} from "./agent-protocol.ts";

describe("to the agent", () => {
  test("messages are lines, followed by as many bytes as they say", () => {
    expect(helloText("af02").toString()).toBe("hello af02\n");
    expect(runText("af02-1", "echo ü\n", "none").toString()).toBe("run af02-1 none 8\necho ü\n");
    expect(runText("af02-2", "cat", "input").toString()).toBe("run af02-2 input 3\ncat");
    expect(inputText("af02-2", Buffer.from([0, 10, 255])).toString("latin1")).toBe("input af02-2 3\n\0\n\xff");
    expect(closeText("af02-2").toString()).toBe("close af02-2\n");
    expect(signalText("af02-2", "TERM").toString()).toBe("signal af02-2 TERM\n");
  });

  test("what would be part of the agent's shell or of a path is no job's name", () => {
    for (const name of ["", "a b", "a/b", "..", "$x", "-n", "a\n", "a".repeat(41)]) expect(() => closeText(name)).toThrow(RangeError);
  });

  test("scripts and inputs have limits", () => {
    expect(runText("a", "x".repeat(maxScriptBytes), "none").length).toBeGreaterThan(maxScriptBytes);
    expect(() => runText("a", "x".repeat(maxScriptBytes + 1), "none")).toThrow(RangeError);
    expect(() => runText("a", "", "none")).toThrow(RangeError);
    expect(() => inputText("a", Buffer.alloc(maxInputBytes + 1))).toThrow(RangeError);
    expect(() => inputText("a", Buffer.alloc(0))).toThrow(RangeError);
  });

  test("a program's arguments reach it as they are", () => {
    expect(programScript(["printf", "%s", "it's", "", "$HOME"], { A: "b c" })).toBe(
      "export A='b c'\nexec 'printf' '%s' 'it'\\''s' '' '$HOME'\n",
    );
    expect(() => programScript(["echo", "a\0b"])).toThrow(RangeError);
  });
});

describe("from the agent", () => {
  const stream = Buffer.from("hello af02 1\noutput af02-1 AP8K\nerror af02-1 eA==\ntaken af02-1\nend af02-1 137\n");
  const messages = [
    { kind: "hello", nonce: "af02", version: 1 },
    { kind: "output", job: "af02-1", bytes: Buffer.from([0, 255, 10]) },
    { kind: "error", job: "af02-1", bytes: Buffer.from("x") },
    { kind: "taken", job: "af02-1" },
    { kind: "end", job: "af02-1", status: 137 },
  ];

  test("messages are the same however the bytes are cut", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: stream.length })), (cuts) => {
        const places = [0, ...cuts.sort((one, other) => one - other), stream.length];
        const decoder = new AgentDecoder();
        expect(places.slice(1).flatMap((end, index) => decoder.push(stream.subarray(places[index], end)))).toEqual(messages);
      }),
    );
  });

  test.each([
    "",
    "nothing",
    "hello af02",
    "hello af02 x",
    "hello af02 1 2",
    "output af02-1",
    "output af02-1 ",
    "output af02-1 A",
    "output af02-1 A===",
    "output af02-1 AP8*",
    "output ../x AP8K",
    "taken af02-1 more",
    "end af02-1",
    "end af02-1 256",
    "end af02-1 -1",
  ])("the line %j is refused", (line) => {
    expect(() => new AgentDecoder().push(Buffer.from(`${line}\n`))).toThrow(AgentProtocolError);
  });

  test("a line that does not end is refused when it is longer than any that the port takes", () => {
    const decoder = new AgentDecoder();
    expect(decoder.push(Buffer.alloc(maxLineBytes - 1, "x"))).toEqual([]);
    expect(() => decoder.push(Buffer.from("x"))).toThrow(AgentProtocolError);
  });

  test("whatever a guest sends, the answer is messages or that one error", () => {
    const piece = fc.constantFrom("hello ", "output ", "end ", "a ", "7\n", "AAAA\n", "\n");
    fc.assert(
      fc.property(
        fc.array(piece.chain((text) => fc.string({ maxLength: 2 }).map((more) => text + more))),
        fc.uint8Array(),
        (texts, bytes) => {
          try {
            const decoder = new AgentDecoder();
            for (const text of texts) decoder.push(Buffer.from(text));
            decoder.push(bytes);
          } catch (error) {
            expect(error).toBeInstanceOf(AgentProtocolError);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
