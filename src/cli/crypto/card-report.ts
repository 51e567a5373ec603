import type { CryptoCard } from "../../host/crypto-commands.ts";
import { table } from "../table.ts";
import type { CryptoClient } from "./crypto-client.ts";

/** Cards with what they tell of themselves when they are asked. */
export interface CardReport extends CryptoCard {
  readonly told: Readonly<Record<string, string>>;
}

const filesByMode: Readonly<Record<string, readonly string[]>> = {
  cca: ["serialnr"],
  ep11: ["serialnr", "API_ordinalnr", "FW_version", "op_modes"],
};

/** The counts are those from before the cards were asked. */
export async function cardReports(client: CryptoClient): Promise<CardReport[]> {
  const reports: CardReport[] = [];
  for (const card of await client.cards()) {
    const told: Record<string, string> = {};
    for (const name of filesByMode[card.mode] ?? []) told[name] = await client.file(card.name, name).catch(() => "");
    reports.push({ ...card, told });
  }
  return reports;
}

export function cardLines(reports: readonly CardReport[]): string[] {
  if (reports.length === 0) return ["no card"];
  const rows = reports.flatMap(({ name, type, isOnline, requests, load, queues, told }) => [
    [name, type, isOnline ? "online" : "offline", String(requests), "", String(load), toldText(told)],
    ...queues.map((queue) => [
      ...[queue.name, type, queue.isUsable ? "online" : "offline"],
      ...[String(queue.requests), String(queue.pending), String(queue.load), ""],
    ]),
  ]);
  return table(["DEVICE", "TYPE", "STATUS", "REQUESTS", "PENDING", "LOAD", "TELLS"], rows);
}

const toldText = (told: Readonly<Record<string, string>>): string =>
  Object.entries(told)
    .filter(([, text]) => text !== "")
    .map(([name, text]) => `${name} ${text}`)
    .join(", ");
