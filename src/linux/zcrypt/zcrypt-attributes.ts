import type { Mode } from "../../ap/queue-info.ts";
import { type Attribute, type AttributeTable, attributeTable, constant, readOnly, readWrite } from "../../sysfs/attribute.ts";
import { Errno, fail } from "../../sysfs/errno.ts";
import { scanInteger } from "../text/numbers.ts";
import type { Job } from "../time/work-queue.ts";
import { fetchCcaInfo } from "./card-info/cca-info.ts";
import { ccaPatternsText, ccaSerialText, unknownCca } from "./card-info/cca-texts.ts";
import { type Ep11CardInfo, type Ep11DomainInfo, fetchEp11CardInfo, fetchEp11DomainInfo } from "./card-info/ep11-info.ts";
import { apiOrdinalText, ep11SerialText, firmwareText, operationModesText, wrappingKeysText } from "./card-info/ep11-texts.ts";
import { RequestTrack } from "./request-track.ts";
import type { RequestContext } from "./zcrypt.ts";
import type { ZcryptCard, ZcryptQueue } from "./zcrypt-devices.ts";

/**
 * The files that zcrypt's drivers add; some ask the card, and reading them sleeps until it answers. Source: Linux drivers/s390/crypto/zcrypt_card.c, zcrypt_queue.c, zcrypt_cex4.c.
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

/**
 * A text that the card tells when it is asked, from a recording, or what the kernel prints when no answer came. A signal ends the
 * question.
 */
function asked<Owner extends ZcryptCard | ZcryptQueue>(
  name: string,
  ask: (owner: Owner, context: RequestContext) => Job<string>,
  withoutAnswer: string,
): Attribute<Owner> {
  return readOnly(name, (owner) => {
    const device = "card" in owner ? owner.card : owner.queue;
    const { knownTexts, work } = device.apBus;
    const known = knownTexts.get(`${device.path}/${name}`);
    if (known !== undefined) return known;
    const track = new RequestTrack();
    return work.run(answered(ask(owner, { track }), withoutAnswer), () => track.interrupt());
  });
}

function* answered(question: Job<string>, withoutAnswer: string): Job<string> {
  try {
    return yield* question;
  } catch (error) {
    if (error instanceof Errno) return withoutAnswer;
    throw error;
  }
}

const askedOfEp11Card = (name: string, textOf: (info: Ep11CardInfo) => string): Attribute<ZcryptCard> =>
  asked(
    name,
    function* ({ zcrypt, card }, context) {
      return textOf(yield* fetchEp11CardInfo(zcrypt, card.id, context));
    },
    "\n",
  );

/** A queue that is offline is not asked. */
const askedOfEp11Queue = (name: string, textOf: (info: Ep11DomainInfo) => string, withoutAnswer: string): Attribute<ZcryptQueue> =>
  asked(
    name,
    function* ({ zcrypt, queue, isOnline }, context) {
      if (!isOnline) return withoutAnswer;
      return textOf(yield* fetchEp11DomainInfo(zcrypt, queue.adapter, queue.domain, context));
    },
    withoutAnswer,
  );

/** Further files of a card, by its mode. */
export const cardInfoAttributes: Partial<Record<Mode, AttributeTable<ZcryptCard>>> = {
  cca: attributeTable<ZcryptCard>(
    asked(
      "serialnr",
      function* ({ zcrypt, card }, context) {
        return ccaSerialText(yield* fetchCcaInfo(zcrypt, card.id, undefined, context));
      },
      ccaSerialText(unknownCca),
    ),
  ),
  ep11: attributeTable<ZcryptCard>(
    askedOfEp11Card("API_ordinalnr", apiOrdinalText),
    askedOfEp11Card("FW_version", firmwareText),
    askedOfEp11Card("serialnr", ep11SerialText),
    askedOfEp11Card("op_modes", operationModesText),
  ),
};

/** Further files of a queue, by its card's mode. */
export const queueInfoAttributes: Partial<Record<Mode, AttributeTable<ZcryptQueue>>> = {
  cca: attributeTable<ZcryptQueue>(
    asked(
      "mkvps",
      function* ({ zcrypt, queue }, context) {
        return ccaPatternsText(yield* fetchCcaInfo(zcrypt, queue.adapter, queue.domain, context));
      },
      ccaPatternsText(unknownCca),
    ),
  ),
  ep11: attributeTable<ZcryptQueue>(
    askedOfEp11Queue("mkvps", wrappingKeysText, "WK CUR: - -\nWK NEW: - -\n"),
    askedOfEp11Queue("op_modes", operationModesText, "\n"),
  ),
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
