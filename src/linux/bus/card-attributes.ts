import { type AttributeTable, attributeTable, constant, readOnly, readWrite } from "../../sysfs/attribute.ts";
import { fail } from "../../sysfs/errno.ts";
import type { Generation } from "../generation.ts";
import { scanInteger } from "../text/numbers.ts";
import type { ApCard } from "./ap-card.ts";
import { modalias } from "./uevent-text.ts";

/** The files of a card that are there whatever its driver is. Source: Linux drivers/s390/crypto/ap_card.c. */
const tables = new Map<Generation, AttributeTable<ApCard>>();

export function cardAttributes(generation: Generation): AttributeTable<ApCard> {
  const known = tables.get(generation);
  if (known) return known;
  const table = attributeTable<ApCard>(
    constant("hwtype", (card) => `${card.info.type}\n`),
    constant("raw_hwtype", (card) => `${card.info.rawType}\n`),
    constant("depth", (card) => `${generation.depthIsCount ? card.depth : card.info.depthField}\n`),
    constant("ap_functions", (card) => functionsText(card.info.functions)),
    readWrite(
      "request_count",
      (card) => `${card.requestCount}\n`,
      (card) => {
        for (const queue of card.queues.values()) {
          queue.machine.requestCount = 0;
          queue.changed("request_count");
        }
        card.requestCount = 0;
        card.changed("request_count");
      },
    ),
    readOnly("requestq_count", (card) => `${sum(card, (queue) => queue.machine.waitingCount)}\n`),
    readOnly("pendingq_count", (card) => `${sum(card, (queue) => queue.machine.pendingCount)}\n`),
    constant("modalias", (card) => `${modalias(card.info.type)}\n`),
    generation.knowsConfiguration && readWrite("config", (card) => `${Number(card.isConfigured)}\n`, storeConfig),
    generation.knowsConfiguration && constant("chkstop", (card) => `${Number(card.isCheckstopped)}\n`),
    generation.knowsConfiguration && constant("max_msg_size", (card) => `${card.maxMessageBytes}\n`),
  );
  tables.set(generation, table);
  return table;
}

/** `0x%08X`. */
export const functionsText = (functions: number): string => `0x${functions.toString(16).toUpperCase().padStart(8, "0")}\n`;

const sum = (card: ApCard, count: (queue: ApCard["queues"] extends Map<number, infer Queue> ? Queue : never) => number): number => {
  let total = 0;
  for (const queue of card.queues.values()) total += count(queue);
  return total;
};

/** SCLP configures or deconfigures the adapter; a uevent follows even when nothing changed. */
function storeConfig(card: ApCard, text: string): void {
  const wanted = scanInteger(text, 10);
  if (wanted !== 0 && wanted !== 1) fail("EINVAL");
  const isConfigured = wanted === 1;
  if (card.isConfigured !== isConfigured) {
    const { platform } = card.apBus.instructions;
    if (!platform.configureAdapter) fail("EOPNOTSUPP");
    try {
      platform.configureAdapter?.(card.id, isConfigured);
    } catch {
      fail("EIO");
    }
    card.isConfigured = isConfigured;
    card.changed("config");
    card.changed("online");
  }
  card.announce("change", [["CONFIG", String(wanted)]]);
}
