import { expect, test } from "vitest";
import { QemuError } from "../../../qemu/qemu-error.ts";
import { readProcessorsRecord } from "./processors-record.ts";

const nothing = { ap: [], stfle: [], searched: [] };
const booted = {
  ap: ["3ffe0000200", "3ffe0000300"],
  stfle: [{ address: "10400", text: "b2b01000" }],
  searched: ["0404c00180000000000003ffe0000000"],
  watch: { handler: "3ffe0000000", second: "3ffe0000004", held: "second" },
};
const read = (value: unknown) => readProcessorsRecord(Buffer.from(JSON.stringify(value) ?? "{"));

test("a record is read as it was written", () => {
  expect(read(booted)).toEqual(booted);
  expect(read(nothing)).toEqual(nothing);
});

test.each([
  ["no JSON", undefined],
  ["without what must be there", { ap: [] }],
  ["with what nobody knows", { ...nothing, more: 1 }],
  ["with an address that is none", { ...nothing, ap: ["-1"] }],
  ["with an address of more than 64 bits", { ...nothing, ap: ["10000000000000000"] }],
  ["with more addresses than a stub holds", { ...nothing, ap: Array(257).fill("200") }],
  ["with an instruction of another length", { ...nothing, stfle: [{ address: "10400", text: "b2b0" }] }],
  ["with a PSW of another length", { ...nothing, searched: ["0404"] }],
  ["with a watch of neither instruction", { ...nothing, watch: { ...booted.watch, held: "third" } }],
])("a record %s is refused", (_what, value) => {
  expect(() => read(value)).toThrow(QemuError);
});
