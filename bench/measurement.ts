/** One figure of a benchmark. Smaller is better; without a limit it is reported only. */
export interface Measurement {
  readonly name: string;
  readonly value: number;
  readonly unit: "ms" | "us" | "MB" | "times";
  readonly limit?: number;
}

/** Of an uneven count of values the middle one. */
export const median = (values: readonly number[]): number =>
  [...values].sort((left, right) => left - right)[Math.floor(values.length / 2)] ?? 0;
