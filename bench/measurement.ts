/** One figure of a benchmark, which `limit` is the most and `atLeast` the least of; without either it is reported only. */
export interface Measurement {
  readonly name: string;
  readonly value: number;
  readonly unit: "ms" | "us" | "MB" | "times" | "/s";
  readonly limit?: number;
  readonly atLeast?: number;
}

/** Of an uneven count of values the middle one. */
export const median = (values: readonly number[]): number =>
  [...values].sort((left, right) => left - right)[Math.floor(values.length / 2)] ?? 0;
