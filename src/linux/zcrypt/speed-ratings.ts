/**
 * How long an operation takes on a card, relative to others: the smaller, the sooner a card is chosen.
 * Source: Linux drivers/s390/crypto/zcrypt_cex4.c, zcrypt_cex2a.c, zcrypt_cex2c.c; zcrypt_msgtype6.c, speed_idx_cca and speed_idx_ep11.
 */
const ratedOperations = ["me1k", "me2k", "me4k", "crt1k", "crt2k", "crt4k", "random", "secureKey"] as const;
export type RatedOperation = (typeof ratedOperations)[number];

const ratings: Readonly<Record<string, readonly number[]>> = {
  CEX2A: [800, 1000, 2000, 900, 1200, 2400, 0, 0],
  CEX3A: [400, 500, 1000, 450, 550, 1200, 0, 0],
  CEX4A: [14, 19, 249, 42, 228, 1458, 0, 0],
  CEX5A: [8, 9, 20, 18, 66, 458, 0, 0],
  CEX6A: [6, 9, 20, 17, 65, 438, 0, 0],
  CEX7A: [6, 8, 17, 15, 54, 362, 0, 0],
  CEX8A: [6, 8, 17, 15, 54, 362, 0, 0],
  CEX2C: [1000, 1400, 2400, 1100, 1500, 2600, 100, 12],
  CEX3C: [500, 700, 1400, 550, 800, 1500, 80, 10],
  CEX4C: [59, 69, 308, 83, 278, 2204, 209, 40],
  CEX5C: [24, 31, 50, 37, 90, 479, 27, 10],
  CEX6C: [16, 20, 32, 27, 77, 455, 24, 9],
  CEX7C: [14, 16, 26, 23, 64, 376, 23, 8],
  CEX8C: [14, 16, 26, 23, 64, 376, 23, 8],
  CEX4P: [0, 0, 0, 0, 0, 0, 0, 50],
  CEX5P: [0, 0, 0, 0, 0, 0, 0, 10],
  CEX6P: [0, 0, 0, 0, 0, 0, 0, 9],
  CEX7P: [0, 0, 0, 0, 0, 0, 0, 8],
  CEX8P: [0, 0, 0, 0, 0, 0, 0, 8],
};

/** `typeName` as a card's file says it; 0 for what its kind of card does not do. */
export const speedRating = (typeName: string, operation: RatedOperation): number =>
  ratings[typeName]?.[ratedOperations.indexOf(operation)] ?? 0;

/** Classes of functions with secure keys, each a factor of the rating. */
const factors = { low: 10, medium: 100, high: 500 } as const;

const lowVerbs = new Set("AB AI AM CA CD CT CX DK EX FC FQ LG LK LQ OH PO PS PX SC SD SE SP".split(" "));
const highVerbs = new Set(
  (
    "AK CE CI CM HG HI HM HP HQ IT IX KC KD KE KG KH KI KN KP KR KT KX MP MS MV MX " + "PD PE PF PG PI PK PM RT SG SI SK SM SV SX TC TK VG"
  ).split(" "),
);

/** Of a verb of CCA, such as `KG`. */
export function ccaFactor(verb: string): number {
  if (lowVerbs.has(verb)) return factors.low;
  return highVerbs.has(verb) ? factors.high : factors.medium;
}

const lowFunctions = new Set([1, 2, 36, 37, 38, 39, 40]);
const highFunctions = new Set([17, 18, 19, 20, 21, 22, 26, 30, 31, 32, 33, 34, 35]);

/** Of an EP11 function by its number. */
export function ep11Factor(functionNumber: number): number {
  if (lowFunctions.has(functionNumber)) return factors.low;
  return highFunctions.has(functionNumber) ? factors.high : factors.medium;
}
