import { describe, expect, test } from "vitest";
import { outcome } from "../../../test/support/test-host.ts";
import { parseBoolean, parseUnsigned, scanInteger } from "./numbers.ts";

describe("kstrtoul with base 0", () => {
  test.each([
    ["4", "4"],
    ["0x4", "4"],
    ["004", "4"],
    ["+4", "4"],
    ["4\n", "4"],
    ["0X1f", "31"],
    ["0", "0"],
    ["00", "0"],
    ["020", "16"],
    ["0107", "71"],
    ["+0xaB\n", "171"],
    ["18446744073709551615", "18446744073709551615"],
    ["0xffffffffffffffff", "18446744073709551615"],
    ["08", "EINVAL"],
    ["4 ", "EINVAL"],
    [" 4", "EINVAL"],
    ["-4", "EINVAL"],
    ["0x", "EINVAL"],
    ["", "EINVAL"],
    ["\n", "EINVAL"],
    ["4\n\n", "EINVAL"],
    ["++4", "EINVAL"],
    ["+-4", "EINVAL"],
    ["+ 4", "EINVAL"],
    ["1_000", "EINVAL"],
    ["0b1", "EINVAL"],
    ["0o7", "EINVAL"],
    ["4g", "EINVAL"],
    ["0xg", "EINVAL"],
    ["1e1", "EINVAL"],
    ["4\r\n", "EINVAL"],
    ["18446744073709551616", "ERANGE"],
    ["0x10000000000000000", "ERANGE"],
    ["02000000000000000000000", "ERANGE"],
  ])("%j is %s", (text, answer) => {
    expect(outcome(() => String(parseUnsigned(text)))).toBe(answer);
  });

  test("is bounded by the type it reads into", () => {
    expect(parseUnsigned("4294967295", 0xffffffffn)).toBe(0xffffffffn);
    expect(outcome(() => String(parseUnsigned("4294967296", 0xffffffffn)))).toBe("ERANGE");
  });

  test("takes a page of digits without more work than that", () => {
    expect(outcome(() => String(parseUnsigned("9".repeat(4096))))).toBe("ERANGE");
    expect(outcome(() => String(parseUnsigned(`${"0".repeat(4000)}7`)))).toBe("7");
  });
});

describe("kstrtobool", () => {
  test.each(["1", "y", "Y", "yes", "yup", "on", "ON", "oN", "1junk", "on!"])("%j is true", (text) => {
    expect(parseBoolean(text, false)).toBe(true);
  });
  test.each(["0", "n", "N", "no", "never", "of", "off", "OF", "0\n"])("%j is false", (text) => {
    expect(parseBoolean(text, false)).toBe(false);
  });
  test.each(["", "\n", "o", "ox", "2", " 1", "-1", "enabled"])("%j is EINVAL", (text) => {
    expect(outcome(() => String(parseBoolean(text, true)))).toBe("EINVAL");
  });
  test.each(["t", "T", "true", "f", "F"])("%j counts with newer kernels alone", (text) => {
    expect(parseBoolean(text, true)).toBe(text[0]?.toLowerCase() === "t");
    expect(outcome(() => String(parseBoolean(text, false)))).toBe("EINVAL");
  });
});

describe("sscanf", () => {
  test.each([
    ["7", 7],
    [" \t7", 7],
    ["-7", -7],
    ["7 and more", 7],
    ["7x", 7],
    ["007", 7],
    ["0x10", 0],
    ["2147483648", -2147483648],
    ["4294967297", 1],
  ])("with %%d reads %j as %d", (text, value) => {
    expect(scanInteger(text, 10)).toBe(value);
  });

  test.each([
    ["0x47", 71],
    ["-0x1", -1],
    ["0107", 71],
    ["08", 0],
    ["0x", 0],
    ["12abc", 12],
    ["0", 0],
  ])("with %%i reads %j as %d", (text, value) => {
    expect(scanInteger(text, "prefix")).toBe(value);
  });

  test.each(["", "x", "+5", "- 5", "--5", "\n"])("finds no number in %j: EINVAL", (text) => {
    expect(outcome(() => String(scanInteger(text, 10)))).toBe("EINVAL");
    expect(outcome(() => String(scanInteger(text, "prefix")))).toBe("EINVAL");
  });
});
