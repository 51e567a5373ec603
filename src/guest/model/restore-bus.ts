import { decodeQci } from "../../ap/qci.ts";
import { ApCard } from "../../linux/bus/ap-card.ts";
import { ApQueue } from "../../linux/bus/ap-queue.ts";
import type { Linux } from "../../linux/linux.ts";
import { parseHexMask } from "../../linux/text/mask-text.ts";
import type { Job } from "../../linux/time/work-queue.ts";
import { zcryptCardOf, zcryptQueueOf } from "../../linux/zcrypt/zcrypt-attributes.ts";
import { SavedGuestError } from "./saved-form.ts";
import type { SavedBus, SavedCard, SavedQueue } from "./saved-guest.ts";

/**
 * Makes cards and queues as they were, without asking the platform: whether they still are so is for the next scan to find. Queues stand
 * until the guest runs.
 */
export function* restoreBus(linux: Linux, saved: SavedBus): Job<void> {
  const { bus } = linux;
  refuseOtherFacilities(linux, saved);
  bus.maxAdapter = saved.maxAdapter;
  bus.maxDomain = saved.maxDomain;
  bus.configuration = decodeQci(Buffer.from(saved.configuration, "hex"));
  if (linux.vfioAp) linux.vfioAp.host = bus.configuration;
  bus.masks.adapters = parseHexMask(saved.apmask);
  bus.masks.domains = parseHexMask(saved.aqmask);
  bus.masks.areInUse = saved.areMasksInUse;
  bus.probesAutomatically = false;
  for (const device of saved.devices) {
    if (device.kind === "card") yield* addCard(linux, device);
    else yield* addQueue(linux, device);
  }
  for (const { device, driver } of saved.bindings) yield* bind(linux, device, driver);
  for (const device of saved.devices) restoreDriversPart(linux, device);
  bus.probesAutomatically = saved.probesAutomatically;
  bus.defaultDomain = saved.defaultDomain;
  bus.scanCount = saved.scanCount;
  bus.scanSeconds = saved.scanSeconds;
  bus.pollTimeoutNs = BigInt(saved.pollTimeoutNs);
  bus.hasPollThread = saved.hasPollThread;
  bus.bindingsCompleteCount = saved.bindingsCompleteCount;
  const { isScanDue, nextScanAtMs, isBindingsCompleteArmed } = saved;
  bus.continueFrom({ isScanDue, nextScanAtMs: nextScanAtMs ?? undefined, isBindingsCompleteArmed });
}

function refuseOtherFacilities({ bus }: Linux, { hasQci, usesInterrupts }: SavedBus): void {
  if (!bus.instructions.areAvailable) throw new SavedGuestError("the guest has AP instructions, which this host does not offer");
  refuseOther("PQAP(QCI)", hasQci, bus.hasQci);
  refuseOther("AP interrupts", usesInterrupts, bus.usesInterrupts);
}

function refuseOther(what: string, isThere: boolean, isHere: boolean): void {
  if (isThere && !isHere) throw new SavedGuestError(`the guest has ${what}, which this host does not offer`);
  if (isHere && !isThere) throw new SavedGuestError(`the guest has no ${what}, which it would get here`);
}

function* addCard({ bus }: Linux, { id, info, isConfigured, isCheckstopped, requestCount }: SavedCard): Job<void> {
  if (bus.cards.has(id)) throw damaged(`card ${id} is there twice`);
  const card = Object.assign(new ApCard(bus, id, info), { isConfigured, isCheckstopped, requestCount });
  bus.cards.set(id, card);
  yield* bus.addDevice(card, bus.rootDevice.directory);
}

function* addQueue({ bus }: Linux, { apqn, isConfigured, isCheckstopped, driverOverride }: SavedQueue): Job<void> {
  const card = bus.cards.get(apqn >> 8);
  if (!card || bus.queues.has(apqn)) throw damaged(`a queue of card ${apqn >> 8} is there twice or before it`);
  const queue = Object.assign(new ApQueue(bus, card, apqn), { isConfigured, isCheckstopped });
  queue.machine.isStanding = true;
  queue.driverOverride = driverOverride ?? undefined;
  if (driverOverride !== null) bus.masks.overrides++;
  card.queues.set(queue.domain, queue);
  bus.queues.set(apqn, queue);
  yield* bus.addDevice(queue, card.directory);
}

function* bind({ bus }: Linux, deviceName: string, driverName: string): Job<void> {
  const device = bus.devices.get(deviceName);
  const driver = bus.drivers.get(driverName);
  if (!device || device.driver || !driver?.matches(device)) throw damaged(`${driverName} cannot have ${deviceName}`);
  yield* bus.entrust(device, driver);
}

/** What a probe began, as it was when the guest was saved. */
function restoreDriversPart({ bus }: Linux, saved: SavedCard | SavedQueue): void {
  if (saved.kind === "card") {
    const served = zcryptCardOf.get(bus.cards.get(saved.id) ?? {});
    if (served && saved.isOnline !== null) served.isOnline = saved.isOnline;
    return;
  }
  const queue = bus.queues.get(saved.apqn);
  if (!queue) return;
  queue.machine.stand(saved);
  const served = zcryptQueueOf.get(queue);
  if (served && saved.isOnline !== null) served.isOnline = saved.isOnline;
}

const damaged = (what: string): SavedGuestError => new SavedGuestError(`the saved guest is damaged: ${what}`);
