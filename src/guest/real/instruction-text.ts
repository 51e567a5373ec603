/**
 * Finds instructions in the text of a program that nobody has symbols of. An instruction's length is in its first two bits, so decoding
 * from any even address falls into step with the real boundaries after a few instructions: a place that most decodings from before it
 * come upon is an instruction, another one is a part of one, or data.
 * Source: z/Architecture Principles of Operation, chapter 5, "Instruction Formats".
 */
export interface InstructionPattern {
  /** The first bytes of the instruction, in hex. */
  readonly opcode: Buffer;
  /** Whether four bytes that start with the opcode can be this instruction. */
  matches(bytes: Buffer): boolean;
}

/** Offsets in `text`, ascending. */
export function findInstructions(text: Buffer, patterns: readonly InstructionPattern[]): number[] {
  const found = patterns.flatMap(({ opcode, matches }) => {
    const places: number[] = [];
    for (let at = text.indexOf(opcode); at >= 0; at = text.indexOf(opcode, at + 1)) {
      if (at % 2 === 0 && at + 4 <= text.length && matches(text.subarray(at, at + 4)) && isBoundary(text, at)) places.push(at);
    }
    return places;
  });
  return found.sort((first, second) => first - second);
}

const lookBackBytes = 128;
/** Of the decodings that start before a place. */
const minAgreement = 0.7;

function isBoundary(text: Buffer, place: number): boolean {
  const start = Math.max(0, place - lookBackBytes);
  let hits = 0;
  let tries = 0;
  for (let from = start; from < place; from += 2) {
    let at = from;
    while (at < place) at += instructionBytes(text[at]!);
    if (at === place) hits++;
    tries++;
  }
  return tries === 0 || hits / tries >= minAgreement;
}

/** By the first byte. */
export const instructionBytes = (first: number): number => (first < 0x40 ? 2 : first < 0xc0 ? 4 : 6);
