import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { closeText, helloText, inputText, maxInputBytes, maxScriptBytes, runText, signalText } from "./agent-protocol.ts";
import { type AgentRequest, AgentRequestReader } from "./agent-request-reader.ts";

const read = (reader: AgentRequestReader, bytes: Uint8Array | string): AgentRequest[] => [...reader.push(Buffer.from(bytes as string))];

const requests: readonly (readonly [AgentRequest["verb"], string, Buffer])[] = [
  ["hello", "af02", helloText("af02")],
  ["run", "af02-1", runText("af02-1", "echo ü\nexit\n", "none")],
  ["run", "af02-2", runText("af02-2", "cat", "input")],
  ["input", "af02-2", inputText("af02-2", Buffer.from("run x none 3\nabc"))],
  ["signal", "af02-2", signalText("af02-2", "USR1")],
  ["close", "af02-2", closeText("af02-2")],
];

describe("the reader of requests to an agent", () => {
  test("gives each with verb, name and all of its bytes, however they are cut", () => {
    const stream = Buffer.concat(requests.map(([, , bytes]) => bytes));
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: stream.length })), (cuts) => {
        const places = [0, ...cuts.sort((one, other) => one - other), stream.length];
        const reader = new AgentRequestReader();
        const found = places.slice(1).flatMap((end, index) => read(reader, stream.subarray(places[index], end)));
        expect(found.map(({ verb, name, bytes }) => [verb, name, bytes.toString("latin1")])).toEqual(
          requests.map(([verb, name, bytes]) => [verb, name, bytes.toString("latin1")]),
        );
      }),
    );
  });

  test("gives none before its last byte", () => {
    const reader = new AgentRequestReader();
    const bytes = runText("a", "echo", "none");
    expect(read(reader, bytes.subarray(0, -1))).toEqual([]);
    expect(read(reader, bytes.subarray(-1))).toHaveLength(1);
  });

  test.each([
    "",
    "what",
    "hello",
    "hello af02 1",
    "hello AF02",
    "hello ../x",
    "hello -n",
    `hello ${"a".repeat(41)}`,
    "run a 5",
    "run a maybe 5",
    "run a none",
    "run a none -1",
    "run a none 0",
    "run a none 5 5",
    "run  none 5",
    "input a none 5",
    "input a",
    "input a 0",
    "close",
    "close a b",
    "signal a",
    "signal a kill",
    "signal a KILL;reboot",
    " hello a",
    `run a none ${maxScriptBytes + 1}`,
    `input a ${maxInputBytes + 1}`,
  ])("throws for the line %j", (line) => {
    expect(() => read(new AgentRequestReader(), `${line}\n`)).toThrow();
  });

  test("takes the longest script and the longest input", () => {
    const reader = new AgentRequestReader();
    expect(read(reader, runText("a", "x".repeat(maxScriptBytes), "none"))).toHaveLength(1);
    expect(read(reader, inputText("a", Buffer.alloc(maxInputBytes)))).toHaveLength(1);
  });

  test("throws for a line without an end", () => {
    const reader = new AgentRequestReader();
    expect(read(reader, "x".repeat(128))).toEqual([]);
    expect(() => read(reader, "x")).toThrow("a request to an agent has no end");
  });

  test("throws for garbage behind a request only when that was given", () => {
    const reader = new AgentRequestReader();
    const found: string[] = [];
    expect(() => {
      for (const { verb } of reader.push(Buffer.from("hello a\ngarbage\n"))) found.push(verb);
    }).toThrow("is no request to an agent");
    expect(found).toEqual(["hello"]);
  });
});
