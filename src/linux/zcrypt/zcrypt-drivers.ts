import { type Mode, modeOf } from "../../ap/queue-info.ts";
import { fail } from "../../sysfs/errno.ts";
import type { Directory } from "../../sysfs/node.ts";
import { ApCard } from "../bus/ap-card.ts";
import type { ApDriver } from "../bus/ap-driver.ts";
import { ApQueue } from "../bus/ap-queue.ts";
import type { Device } from "../driver-core/device.ts";
import type { Generation } from "../generation.ts";
import type { Job } from "../time/work-queue.ts";
import type { Zcrypt } from "./zcrypt.ts";
import {
  cardInfoAttributes,
  queueInfoAttributes,
  zcryptCardAttributes,
  zcryptCardOf,
  zcryptQueueAttributes,
  zcryptQueueOf,
} from "./zcrypt-attributes.ts";
import { ZcryptCard, ZcryptQueue } from "./zcrypt-devices.ts";

/**
 * The host's own drivers. A family serves some types in some modes; the newest is cex4 for CEX4 and later, the older ones came with
 * older kernels. Source: Linux drivers/s390/crypto/zcrypt_cex4.c, zcrypt_cex2a.c, zcrypt_cex2c.c, zcrypt_pcixcc.c.
 */
interface Family {
  readonly module: string;
  readonly card: string;
  readonly queue: string;
  readonly types: readonly number[];
  /** Its adapters have modes, and it refuses one without; the type of an older one says all. */
  readonly hasModes: boolean;
  /** Its queues are probed by sending a message whose reply must come. */
  readonly asksForRandomNumbers: boolean;
}

const cex4: Family = {
  module: "zcrypt_cex4",
  card: "cex4card",
  queue: "cex4queue",
  types: [10, 11, 12, 13, 14],
  hasModes: true,
  asksForRandomNumbers: false,
};
const cex2a: Family = {
  module: "zcrypt_cex2a",
  card: "cex2acard",
  queue: "cex2aqueue",
  types: [6, 8],
  hasModes: false,
  asksForRandomNumbers: false,
};
const cex2c: Family = {
  module: "zcrypt_cex2c",
  card: "cex2card",
  queue: "cex2cqueue",
  types: [7, 9],
  hasModes: false,
  asksForRandomNumbers: true,
};
const pcixcc: Family = { ...cex2c, module: "zcrypt_pcixcc", card: "pcixcccard", queue: "pcixccqueue" };

const families: Record<Generation["oldDrivers"], readonly Family[]> = {
  none: [cex4],
  "cex2a+cex2c": [cex2a, cex2c, cex4],
  "cex2a+pcixcc": [cex2a, pcixcc, cex4],
};

/** The drivers of one module; `folder` is its place in /sys/module, where drivers link to one. */
export interface ZcryptModule {
  readonly name: string;
  readonly drivers: (folder: Directory | undefined) => ApDriver[];
}

/** The driver modules of a kernel, in the order it registers them. */
export function zcryptModules(zcrypt: Zcrypt): ZcryptModule[] {
  const { generation } = zcrypt.bus;
  return families[generation.oldDrivers].map((family) => ({
    name: family.module,
    drivers: (folder) => [cardDriver(family, zcrypt, folder), queueDriver(family, zcrypt, folder)],
  }));
}

const modeLetters: Record<Mode, string> = { accelerator: "A", cca: "C", ep11: "P" };
const oldTypeNames: Readonly<Record<number, string>> = { 6: "CEX2A", 7: "CEX2C", 8: "CEX3A", 9: "CEX3C" };

/** `CEX5C`. ENODEV for an adapter without a mode. */
function typeName(family: Family, { type, functions }: ApCard["info"]): string {
  if (!family.hasModes) return oldTypeNames[type] ?? fail("ENODEV");
  const mode = modeOf(functions) ?? fail("ENODEV");
  return `CEX${type - 6}${modeLetters[mode]}`;
}

function cardDriver(family: Family, zcrypt: Zcrypt, module: Directory | undefined): ApDriver {
  return {
    name: family.card,
    isDefault: true,
    module,
    matches: (device) => device instanceof ApCard && family.types.includes(device.info.type),
    *probe(device: Device): Job<void> {
      const card = device as ApCard;
      const mode = modeOf(card.info.functions) ?? fail("ENODEV");
      const zcryptCard = new ZcryptCard(zcrypt, card, mode, typeName(family, card.info));
      zcrypt.cards.push(zcryptCard);
      zcryptCardOf.set(card, zcryptCard);
      card.directory.attach(zcryptCardAttributes, zcryptCard);
      const info = zcrypt.bus.generation.knowsConfiguration && family.hasModes ? cardInfoAttributes[mode] : undefined;
      if (info) card.directory.attach(info, zcryptCard);
    },
    *remove(device: Device): Job<void> {
      for (const table of Object.values(cardInfoAttributes)) device.directory.detach(table);
      device.directory.detach(zcryptCardAttributes);
      const zcryptCard = zcryptCardOf.get(device);
      if (zcryptCard) zcrypt.cards.splice(zcrypt.cards.indexOf(zcryptCard), 1);
      zcryptCardOf.delete(device);
    },
  };
}

function queueDriver(family: Family, zcrypt: Zcrypt, module: Directory | undefined): ApDriver {
  return {
    name: family.queue,
    isDefault: true,
    module,
    matches: (device) => device instanceof ApQueue && family.types.includes(device.card.info.type),
    *probe(device: Device): Job<void> {
      const queue = device as ApQueue;
      const mode = modeOf(queue.card.info.functions);
      if (family.hasModes && !mode) fail("ENODEV");
      if (family.asksForRandomNumbers && !queue.machine.isStanding && !repliesAtAll(queue)) fail("ENODEV");
      const zcryptCard = zcryptCardOf.get(queue.card);
      const zcryptQueue = new ZcryptQueue(zcrypt, queue, zcryptCard);
      zcryptCard?.queues.push(zcryptQueue);
      zcryptQueueOf.set(queue, zcryptQueue);
      queue.machine.initialise();
      queue.directory.attach(zcryptQueueAttributes, zcryptQueue);
      const info = zcrypt.bus.generation.knowsConfiguration && family.hasModes && mode ? queueInfoAttributes[mode] : undefined;
      if (info) queue.directory.attach(info, zcryptQueue);
    },
    *remove(device: Device): Job<void> {
      for (const table of Object.values(queueInfoAttributes)) device.directory.detach(table);
      device.directory.detach(zcryptQueueAttributes);
      const zcryptQueue = zcryptQueueOf.get(device);
      const siblings = zcryptQueue?.zcryptCard?.queues;
      if (zcryptQueue && siblings) siblings.splice(siblings.indexOf(zcryptQueue), 1);
      zcryptQueueOf.delete(device);
    },
  };
}

/** Sends one message outside the state machine and looks for its reply, whatever it says. */
function repliesAtAll(queue: ApQueue): boolean {
  const { instructions, apqn } = queue;
  const probeId = 0x1020304;
  if (((instructions.nqap(apqn, probeId, new Uint8Array(16), false) >>> 16) & 0xff) !== 0) return false;
  const { status } = instructions.dqap(apqn, queue.card.maxMessageBytes);
  return ((status >>> 16) & 0xff) === 0;
}
