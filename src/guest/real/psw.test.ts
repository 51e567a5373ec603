import { describe, expect, test } from "vitest";
import { inspectPsw, pswAfter } from "./psw.ts";

describe("a program-status word", () => {
  test.each([
    // As Linux's PSW_KERNEL_BITS and PSW_USER_BITS have them.
    ["a kernel in primary space", 0x0404_0001_8000_0000n, { isTranslating: true, isProblemState: false, addressSpace: "primary" }],
    ["a program", 0x0705_0001_8000_0000n, { isTranslating: true, isProblemState: true, addressSpace: "primary" }],
    ["access-register mode", 0x0404_4001_8000_0000n, { isTranslating: true, isProblemState: false, addressSpace: "access-register" }],
    ["secondary space", 0x0404_8001_8000_0000n, { isTranslating: true, isProblemState: false, addressSpace: "secondary" }],
    ["home space", 0x0404_c001_8000_0000n, { isTranslating: true, isProblemState: false, addressSpace: "home" }],
    ["a loader before it translates", 0x0000_0001_8000_0000n, { isTranslating: false, isProblemState: false, addressSpace: "primary" }],
  ])("tells the state of %s", (_title, mask, state) => {
    expect(inspectPsw({ mask, address: 0n })).toEqual(state);
  });

  test("after an instruction stands behind it with its condition code and nothing else changed", () => {
    const before = { mask: 0xffff_ffff_ffff_ffffn, address: 0x3ff_fffe_0000n };
    expect(pswAfter(before, 4, 0)).toEqual({ mask: 0xffff_cfff_ffff_ffffn, address: 0x3ff_fffe_0004n });
    expect(pswAfter(before, 6, 3)).toEqual({ mask: before.mask, address: 0x3ff_fffe_0006n });
    expect(pswAfter({ mask: 0n, address: 0n }, 2, 1)).toEqual({ mask: 0x0000_1000_0000_0000n, address: 2n });
    expect(pswAfter({ mask: 0n, address: 0n }, 2, 2)).toEqual({ mask: 0x0000_2000_0000_0000n, address: 2n });
  });
});
