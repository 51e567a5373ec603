/** A program-status word. Source: z/Architecture Principles of Operation, chapter 4, "Program-Status-Word Format". */
export interface Psw {
  readonly mask: bigint;
  readonly address: bigint;
}

const addressSpaces = ["primary", "access-register", "secondary", "home"] as const;

const translationBit = 1n << 58n;
const problemStateBit = 1n << 48n;
const addressSpaceShift = 46n;
const conditionCodeShift = 44n;

export function inspectPsw({ mask }: Psw) {
  return {
    isTranslating: (mask & translationBit) !== 0n,
    isProblemState: (mask & problemStateBit) !== 0n,
    addressSpace: addressSpaces[Number((mask >> addressSpaceShift) & 3n)] ?? "primary",
  };
}

/** The same word behind an instruction of `bytes` bytes that set this condition code. */
export function pswAfter({ mask, address }: Psw, bytes: number, conditionCode: number): Psw {
  const cleared = mask & ~(3n << conditionCodeShift);
  return { mask: cleared | (BigInt(conditionCode) << conditionCodeShift), address: address + BigInt(bytes) };
}
