import type { CryptoClient } from "./crypto-client.ts";

/** The master or wrapping keys of a queue's domain as its card tells them: the lines of `mkvps`. */
export interface KeyReport {
  readonly queue: string;
  readonly type: string;
  readonly registers: readonly string[];
}

/** Of every queue of coprocessors. */
export async function keyReports(client: CryptoClient): Promise<KeyReport[]> {
  const reports: KeyReport[] = [];
  for (const { type, mode, queues } of await client.cards()) {
    if (mode === "accelerator") continue;
    for (const { name } of queues) reports.push({ queue: name, type, registers: (await client.file(name, "mkvps")).split("\n") });
  }
  return reports;
}

export function keyLines(reports: readonly KeyReport[]): string[] {
  if (reports.length === 0) return ["no queue of a coprocessor"];
  return reports.flatMap(({ queue, type, registers }) => [`${queue} ${type}`, ...registers.map((line) => `  ${line}`)]);
}
