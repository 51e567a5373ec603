import type { Mode } from "../../ap/queue-info.ts";
import { type Attribute, type AttributeTable, attributeTable, constant, readOnly, readWrite } from "../../sysfs/attribute.ts";
import { fail } from "../../sysfs/errno.ts";
import { scanInteger } from "../text/numbers.ts";
import type { ZcryptCard, ZcryptQueue } from "./zcrypt-devices.ts";

/**
 * The files that zcrypt's drivers add. What a file asks the card itself for is not known to it here: such a text is
 * the one for a card that did not answer. Source: Linux drivers/s390/crypto/zcrypt_card.c, zcrypt_queue.c, zcrypt_cex4.c.
 */
export const zcryptCardAttributes: AttributeTable<ZcryptCard> = attributeTable<ZcryptCard>(
  constant("type", ({ typeName }) => `${typeName}\n`),
  readWrite("online", (zcrypt) => `${Number(zcrypt.isUsable)}\n`, storeCardOnline),
  readOnly("load", ({ load }) => `${load}\n`),
);

export const zcryptQueueAttributes: AttributeTable<ZcryptQueue> = attributeTable<ZcryptQueue>(
  readWrite("online", (zcrypt) => `${Number(zcrypt.isUsable)}\n`, storeQueueOnline),
  readOnly("load", ({ load }) => `${load}\n`),
);

/** What the card or queue would tell: from a recording, or what the kernel prints when no answer came. */
const asked = <Owner extends ZcryptCard | ZcryptQueue>(name: string, withoutAnswer: string): Attribute<Owner> =>
  readOnly(name, (zcrypt) => {
    const device = "card" in zcrypt ? zcrypt.card : zcrypt.queue;
    return device.apBus.knownTexts.get(`${device.path}/${name}`) ?? withoutAnswer;
  });

/** Further files of a card, by its mode. */
export const cardInfoAttributes: Partial<Record<Mode, AttributeTable<ZcryptCard>>> = {
  cca: attributeTable<ZcryptCard>(asked("serialnr", "\n")),
  ep11: attributeTable<ZcryptCard>(
    asked("API_ordinalnr", "\n"),
    asked("FW_version", "\n"),
    asked("serialnr", "\n"),
    asked("op_modes", "\n"),
  ),
};

const ccaRegisters = ["AES", "APKA", "ASYM"].flatMap((kind) => ["NEW", "CUR", "OLD"].map((which) => `${kind} ${which}: - -\n`)).join("");

/** Further files of a queue, by its card's mode. */
export const queueInfoAttributes: Partial<Record<Mode, AttributeTable<ZcryptQueue>>> = {
  cca: attributeTable<ZcryptQueue>(asked("mkvps", ccaRegisters)),
  ep11: attributeTable<ZcryptQueue>(asked("mkvps", "WK CUR: - -\nWK NEW: - -\n"), asked("op_modes", "\n")),
};

function onlineValue(text: string): boolean {
  const value = scanInteger(text, 10);
  return value === 0 || value === 1 ? value === 1 : fail("EINVAL");
}

/** The card's queues follow it. */
function storeCardOnline(zcrypt: ZcryptCard, text: string): void {
  const { card } = zcrypt;
  const isOnline = onlineValue(text);
  if (isOnline && (!card.isConfigured || card.isCheckstopped)) fail("ENODEV");
  zcrypt.isOnline = isOnline;
  card.changed("online");
  card.announce("change", [["ONLINE", isOnline ? "1" : "0"]]);
  for (const queue of card.queues.values()) {
    const served = zcryptQueueOf.get(queue);
    if (!served || served.isOnline === isOnline) continue;
    served.setOnline(isOnline);
    if (!isOnline) queue.machine.flush();
  }
}

function storeQueueOnline(zcrypt: ZcryptQueue, text: string): void {
  const { queue } = zcrypt;
  const isOnline = onlineValue(text);
  if (isOnline) {
    const { card } = queue;
    if (!queue.isConfigured || queue.isCheckstopped || !card.isConfigured || card.isCheckstopped) fail("ENODEV");
    if (zcryptCardOf.get(card)?.isOnline === false) fail("EINVAL");
  }
  zcrypt.setOnline(isOnline);
  if (!isOnline) queue.machine.flush();
}

/** What zcrypt knows of a card or queue that it serves. */
export const zcryptCardOf = new WeakMap<object, ZcryptCard>();
export const zcryptQueueOf = new WeakMap<object, ZcryptQueue>();
