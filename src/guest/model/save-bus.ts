import { encodeQci } from "../../ap/qci.ts";
import { ApCard } from "../../linux/bus/ap-card.ts";
import { ApQueue } from "../../linux/bus/ap-queue.ts";
import type { Device } from "../../linux/driver-core/device.ts";
import type { Linux } from "../../linux/linux.ts";
import { zcryptCardOf, zcryptQueueOf } from "../../linux/zcrypt/zcrypt-attributes.ts";
import type { SavedBus, SavedCard, SavedQueue } from "./saved-guest.ts";

/** What a guest's AP bus is, but for the requests under way. */
export function saveBus(linux: Linux): SavedBus {
  const { bus } = linux;
  const { isScanDue, nextScanAtMs = null, isBindingsCompleteArmed } = bus.progress;
  return {
    hasQci: bus.hasQci,
    usesInterrupts: bus.usesInterrupts,
    maxAdapter: bus.maxAdapter,
    maxDomain: bus.maxDomain,
    configuration: Buffer.from(encodeQci(bus.configuration)).toString("hex"),
    defaultDomain: bus.defaultDomain,
    scanCount: bus.scanCount,
    scanSeconds: bus.scanSeconds,
    nextScanAtMs,
    isScanDue,
    pollTimeoutNs: Number(bus.pollTimeoutNs),
    hasPollThread: bus.hasPollThread,
    probesAutomatically: bus.probesAutomatically,
    bindingsCompleteCount: bus.bindingsCompleteCount,
    isBindingsCompleteArmed,
    apmask: String(bus.masks.adapters),
    aqmask: String(bus.masks.domains),
    areMasksInUse: bus.masks.areInUse,
    devices: [...bus.devices.values()].flatMap(savedDevice),
    bindings: inBindingOrder(linux).flatMap(({ name, driver }) => (driver ? [{ device: name, driver: driver.name }] : [])),
  };
}

function savedDevice(device: Device): [SavedCard | SavedQueue] | [] {
  if (device instanceof ApCard) return [savedCard(device)];
  return device instanceof ApQueue ? [savedQueue(device)] : [];
}

const savedCard = (card: ApCard): SavedCard => ({
  kind: "card",
  id: card.id,
  info: card.info,
  isConfigured: card.isConfigured,
  isCheckstopped: card.isCheckstopped,
  requestCount: card.requestCount,
  isOnline: zcryptCardOf.get(card)?.isOnline ?? null,
});

const savedQueue = (queue: ApQueue): SavedQueue => ({
  kind: "queue",
  apqn: queue.apqn,
  isConfigured: queue.isConfigured,
  isCheckstopped: queue.isCheckstopped,
  driverOverride: queue.driverOverride ?? null,
  deviceState: queue.machine.deviceState,
  machineState: queue.machine.machineState,
  lastError: queue.machine.lastError,
  requestCount: queue.machine.requestCount,
  isInterruptOn: queue.machine.isInterruptOn,
  isOnline: zcryptQueueOf.get(queue)?.isOnline ?? null,
});

/**
 * zcrypt chooses between equal cards and queues by the order in which they came to its drivers. A queue that came before its card has none of
 * zcrypt's cards, and again comes before it.
 */
function inBindingOrder({ bus, zcrypt }: Linux): Device[] {
  const served = zcrypt.cards.flatMap(({ card, queues }) => [card, ...queues.map(({ queue }) => queue)]);
  const isServed = new Set<Device>(served);
  const others = [...bus.devices.values()].filter((device) => !isServed.has(device));
  return [...others, ...served];
}
