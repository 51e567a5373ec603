import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { changedRegisters, emptyRegisters, type KeyOperation, type KeyRegisters } from "./key-registers.ts";
import { type MasterKeyKind, MasterKeyKinds, masterKeyTypes, verificationPattern } from "./master-key.ts";

const filled = (kind: MasterKeyKind, byte: number): Uint8Array => new Uint8Array(masterKeyTypes[kind].bytes).fill(byte);
const load = (part: "first" | "middle" | "last", value: Uint8Array): KeyOperation => ({ do: "load", part, value });

function registersAfter(kind: MasterKeyKind, operations: readonly KeyOperation[], start: KeyRegisters = emptyRegisters): KeyRegisters {
  return operations.reduce((registers, operation) => {
    const changed = changedRegisters(kind, registers, operation);
    if (typeof changed === "string") throw new Error(changed);
    return changed;
  }, start);
}

describe.each(MasterKeyKinds)("the registers of an %s key", (kind) => {
  const [one, two, three] = [filled(kind, 0x0f), filled(kind, 0xf0), filled(kind, 0x3c)];

  test("hold the XOR of all parts, partial until the last one came", () => {
    const partial = registersAfter(kind, [load("first", one), load("middle", two)]);
    expect(partial.next).toEqual({ key: filled(kind, 0xff), state: "partial" });
    expect(registersAfter(kind, [load("last", three)], partial).next).toEqual({ key: filled(kind, 0xc3), state: "full" });
    expect(registersAfter(kind, [load("first", one), load("last", one)]).next).toEqual({ key: filled(kind, 0), state: "full" });
  });

  test("take no part that does not fit to what is there, nor one of another length", () => {
    const full = registersAfter(kind, [load("first", one), load("last", two)]);
    expect(changedRegisters(kind, full, load("first", one))).toBe("not-empty");
    expect(changedRegisters(kind, full, load("middle", one))).toBe("not-partial");
    expect(changedRegisters(kind, full, load("last", one))).toBe("not-partial");
    expect(changedRegisters(kind, emptyRegisters, load("last", one))).toBe("not-partial");
    expect(changedRegisters(kind, emptyRegisters, load("first", one.subarray(1)))).toBe("wrong-length");
    expect(registersAfter(kind, [{ do: "clear" }], full)).toEqual(emptyRegisters);
  });

  test("are not set before the new one is complete", () => {
    const problem = masterKeyTypes[kind].isCommitted ? "not-committed" : "not-full";
    expect(changedRegisters(kind, emptyRegisters, { do: "set" })).toBe(problem);
    expect(changedRegisters(kind, registersAfter(kind, [load("first", one)]), { do: "set" })).toBe(problem);
  });
});

describe("setting", () => {
  test.each(["aes", "apka", "asym"] as const)("an %s key moves new to current and current to old", (kind) => {
    const [one, two, three] = [filled(kind, 1), filled(kind, 2), filled(kind, 3)];
    const setTo = (key: Uint8Array): KeyOperation[] => [load("first", key), load("last", filled(kind, 0)), { do: "set" }];
    expect(registersAfter(kind, setTo(one))).toEqual({ next: undefined, current: one, old: undefined });
    expect(registersAfter(kind, [...setTo(one), ...setTo(two)])).toEqual({ next: undefined, current: two, old: one });
    expect(registersAfter(kind, [...setTo(one), ...setTo(two), ...setTo(three)])).toEqual({ next: undefined, current: three, old: two });
    expect(changedRegisters(kind, registersAfter(kind, setTo(one)), { do: "commit" })).toBe("no-commitment");
  });

  test("an EP11 key needs it committed, and keeps no old one", () => {
    const [one, two] = [filled("ep11", 1), filled("ep11", 2)];
    const loadAll = (key: Uint8Array): KeyOperation[] => [load("first", key), load("last", filled("ep11", 0))];
    const first = registersAfter("ep11", [...loadAll(one), { do: "commit" }, { do: "set" }]);
    const full = registersAfter("ep11", loadAll(two), first);
    expect(full).toEqual({ next: { key: two, state: "full" }, current: one, old: undefined });
    expect(changedRegisters("ep11", full, { do: "set" })).toBe("not-committed");
    const committed = registersAfter("ep11", [{ do: "commit" }], full);
    expect(committed.next?.state).toBe("committed");
    expect(changedRegisters("ep11", committed, { do: "commit" })).toBe("not-full");
    expect(registersAfter("ep11", [{ do: "set" }], committed)).toEqual({ next: undefined, current: two, old: undefined });
  });
});

test("an operation never changes the registers that it was given", () => {
  const byte = fc.nat({ max: 255 });
  const operation = fc.oneof(
    fc.constantFrom<KeyOperation>({ do: "clear" }, { do: "commit" }, { do: "set" }),
    fc
      .tuple(fc.constantFrom("first" as const, "middle" as const, "last" as const), byte)
      .map(([part, value]) => load(part, filled("aes", value))),
  );
  fc.assert(
    fc.property(fc.constantFrom(...MasterKeyKinds), fc.array(operation, { maxLength: 12 }), (kind, operations) => {
      let registers = emptyRegisters;
      for (const each of operations) {
        const before = structuredClone(registers);
        const changed = changedRegisters(kind, registers, each);
        expect(registers).toEqual(before);
        if (typeof changed !== "string") registers = changed;
      }
    }),
  );
});

describe("a verification pattern", () => {
  // sha256sum of 01 and 32 bytes 00, of 01 and 24 bytes 00, of 32 bytes 00.
  test.each([
    ["aes", "1a7dfdeaffeedac4"],
    ["apka", "1a7dfdeaffeedac4"],
    ["asym", "6bb0f5246ac6ee3fa6a6879c512f393f"],
    ["ep11", "66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925"],
  ] as const)("of an %s key of zeros is %s", (kind, pattern) => {
    expect(Buffer.from(verificationPattern(kind, filled(kind, 0))).toString("hex")).toBe(pattern);
  });
});
