/** One figure of a benchmark. Smaller is better; without a limit it is reported only. */
export interface Measurement {
  readonly name: string;
  readonly value: number;
  readonly unit: "ms" | "us" | "MB" | "times";
  readonly limit?: number;
}
