import { apqn } from "../../ap/apqn.ts";
import { Mask } from "../../ap/mask.ts";
import { qciEquals } from "../../ap/qci.ts";
import { decodeQueueInfo, Functions } from "../../ap/queue-info.ts";
import { decodeStatus, ResponseCode } from "../../ap/status.ts";
import type { Job } from "../time/work-queue.ts";
import type { ApBus } from "./ap-bus.ts";
import { ApCard, type CardInfo } from "./ap-card.ts";
import { ApQueue } from "./ap-queue.ts";

/**
 * One scan of the AP bus: what the platform has now becomes cards and queues, and what it has no longer goes.
 * Source: Linux drivers/s390/crypto/ap_bus.c, ap_scan_bus and what it calls.
 */
export function* scanOnce(bus: ApBus): Job<void> {
  const before = bus.configuration;
  const now = bus.instructions.qci() ?? before;
  const hasChanged = bus.hasQci && !qciEquals(now, before);
  if (hasChanged) {
    bus.configuration = now;
    for (const name of ["ap_adapter_mask", "ap_usage_domain_mask", "ap_control_domain_mask"]) bus.directory.changed(name);
    if (!now.adapters.andNot(before.adapters).isEmpty || !now.usageDomains.andNot(before.usageDomains).isEmpty) bus.rearmBindingsComplete();
    for (const driver of [...bus.apDrivers()]) if (driver.configurationChanged) yield* driver.configurationChanged(now, before);
  }
  selectDefaultDomain(bus);
  for (let adapter = 0; adapter <= bus.maxAdapter; adapter++) yield* scanAdapter(bus, adapter);
  if (hasChanged) for (const driver of [...bus.apDrivers()]) if (driver.scanCompleted) yield* driver.scanCompleted(now, before);
}

const configuredAdapters = (bus: ApBus): Mask => (bus.hasQci ? bus.configuration.adapters : Mask.range(0, bus.maxAdapter));
const configuredDomains = (bus: ApBus): Mask => (bus.hasQci ? bus.configuration.usageDomains : Mask.range(0, bus.maxDomain));

/** The lowest domain that the host may use and some adapter of the host's answers for. Never chosen anew. */
function selectDefaultDomain(bus: ApBus): void {
  if (bus.defaultDomain >= 0) return;
  const adapters = configuredAdapters(bus).and(bus.masks.adapters);
  for (const domain of configuredDomains(bus).and(bus.masks.domains)) {
    if (domain > bus.maxDomain) return;
    for (const adapter of adapters) {
      if (adapter > bus.maxAdapter) break;
      if (bus.instructions.tapq(apqn(adapter, domain)).responseCode !== ResponseCode.normal) continue;
      bus.defaultDomain = domain;
      bus.directory.changed("ap_domain");
      return;
    }
  }
}

interface Probe {
  readonly exists: boolean;
  readonly high: number;
  readonly low: number;
  readonly isConfigured: boolean;
  readonly isCheckstopped: boolean;
}

const infoCodes: readonly number[] = [
  ResponseCode.normal,
  ResponseCode.resetInProgress,
  ResponseCode.deconfigured,
  ResponseCode.checkstopped,
  ResponseCode.busy,
];

function probe(bus: ApBus, queue: number): Probe {
  const { status, responseCode, high, low } = bus.instructions.tapq(queue);
  const knowsState = bus.generation.knowsConfiguration;
  const exists =
    infoCodes.includes(responseCode) &&
    (knowsState || (responseCode !== ResponseCode.deconfigured && responseCode !== ResponseCode.checkstopped));
  return {
    exists: exists || decodeStatus(status).asynchronous,
    high,
    low,
    isConfigured: responseCode !== ResponseCode.deconfigured,
    isCheckstopped: responseCode === ResponseCode.checkstopped,
  };
}

const hasInfo = ({ high, low }: Probe): boolean => high !== 0 || low !== 0;

function* scanAdapter(bus: ApBus, adapter: number): Job<void> {
  let card = bus.cards.get(adapter);
  if (!configuredAdapters(bus).has(adapter)) {
    if (card) yield* removeCard(bus, card);
    return;
  }
  const first = firstProbe(bus, adapter);
  if (!first || decodeQueueInfo(first.high, first.low).type === 0) {
    if (card) yield* removeCard(bus, card);
    return;
  }
  const info = cardInfo(bus, adapter, first);
  if (card && (card.info.rawType !== info.rawType || card.info.functions !== info.functions)) {
    yield* removeCard(bus, card);
    card = undefined;
  }
  if (card) updateCard(card, first);
  else {
    if (info.type === 0) return;
    card = yield* addCard(bus, adapter, info, first);
  }
  yield undefined;
  yield* scanDomains(bus, card);
}

/** What the first queue of the adapter that tells anything says. */
function firstProbe(bus: ApBus, adapter: number): Probe | undefined {
  for (const domain of configuredDomains(bus)) {
    if (domain > bus.maxDomain) return undefined;
    const found = probe(bus, apqn(adapter, domain));
    if (found.exists && hasInfo(found)) return found;
  }
  return undefined;
}

function cardInfo(bus: ApBus, adapter: number, { high, low }: Probe): CardInfo {
  const { type: rawType, depth, messageLimit } = decodeQueueInfo(high, low);
  const functions = ((high & bus.generation.cardFunctionsMask) | impliedFunctions(rawType)) >>> 0;
  return { rawType, type: compatibleType(bus, adapter, rawType, functions), functions, depthField: depth, messageLimit };
}

/** CEX2 and CEX3 do not say their mode in the functions word. */
function impliedFunctions(type: number): number {
  if (type === 6 || type === 8) return Functions.accelerator;
  return type === 7 || type === 9 ? Functions.cca : 0;
}

function compatibleType(bus: ApBus, adapter: number, rawType: number, functions: number): number {
  const { oldestType, newestType } = bus.generation;
  if (rawType < oldestType) return 0;
  if (rawType <= newestType) return rawType;
  const domain = configuredDomains(bus).first;
  const type = bus.instructions.compatibleType(apqn(adapter, domain), functions, newestType);
  return type >= oldestType && type <= newestType ? type : 0;
}

function updateCard(card: ApCard, { isConfigured, isCheckstopped }: Probe): void {
  if (card.isCheckstopped !== isCheckstopped) {
    card.isCheckstopped = isCheckstopped;
    card.changed("chkstop");
    card.changed("online");
  }
  if (card.isConfigured !== isConfigured) {
    card.isConfigured = isConfigured;
    card.changed("config");
    card.changed("online");
    card.announce("change", [["CONFIG", isConfigured ? "1" : "0"]]);
  }
}

function* addCard(bus: ApBus, adapter: number, info: CardInfo, { isConfigured, isCheckstopped }: Probe): Job<ApCard> {
  const card = new ApCard(bus, adapter, info);
  card.isConfigured = isConfigured;
  card.isCheckstopped = isCheckstopped;
  bus.cards.set(adapter, card);
  yield* bus.addDevice(card, bus.rootDevice.directory);
  return card;
}

function* removeCard(bus: ApBus, card: ApCard): Job<void> {
  for (const queue of [...card.queues.values()]) yield* removeQueue(bus, queue);
  yield* bus.removeDevice(card);
  bus.cards.delete(card.id);
}

function* removeQueue(bus: ApBus, queue: ApQueue): Job<void> {
  yield* bus.removeDevice(queue);
  queue.card.queues.delete(queue.domain);
  bus.queues.delete(queue.apqn);
  bus.directory.changed("bindings");
}

function* scanDomains(bus: ApBus, card: ApCard): Job<void> {
  const domains = configuredDomains(bus);
  for (const queue of [...card.queues.values()]) if (!domains.has(queue.domain)) yield* removeQueue(bus, queue);
  for (const domain of domains) {
    if (domain > bus.maxDomain) break;
    const queue = card.queues.get(domain);
    const found = probe(bus, apqn(card.id, domain));
    if (!found.exists) {
      if (queue) yield* removeQueue(bus, queue);
    } else if (!hasInfo(found)) continue;
    else if (queue) updateQueue(queue, found);
    else yield* addQueue(bus, card, domain, found);
    yield undefined;
  }
}

function* addQueue(bus: ApBus, card: ApCard, domain: number, { isConfigured, isCheckstopped }: Probe): Job<void> {
  const queue = new ApQueue(bus, card, apqn(card.id, domain));
  queue.isConfigured = isConfigured;
  queue.isCheckstopped = isCheckstopped;
  card.queues.set(domain, queue);
  bus.queues.set(queue.apqn, queue);
  bus.directory.changed("bindings");
  yield* bus.addDevice(queue, card.directory);
  if (bus.generation.busStartsQueues && isConfigured && !isCheckstopped) queue.machine.initialise();
}

/** The first rule that matches, and no other. */
function updateQueue(queue: ApQueue, { isConfigured, isCheckstopped }: Probe): void {
  const { machine } = queue;
  const wasStarted = machine.deviceState !== "UNINITIATED";
  if (isCheckstopped && !queue.isCheckstopped) {
    setCheckstop(queue, true);
    if (wasStarted) machine.fail(ResponseCode.checkstopped);
    machine.flush();
  } else if (!isCheckstopped && queue.isCheckstopped) {
    setCheckstop(queue, false);
    if (wasStarted) machine.initialise();
  } else if (!isConfigured && queue.isConfigured) {
    setConfigured(queue, false);
    if (wasStarted) machine.fail(ResponseCode.deconfigured);
    machine.flush();
  } else if (isConfigured && !queue.isConfigured) {
    setConfigured(queue, true);
    if (wasStarted) machine.initialise();
  } else if (isConfigured && machine.deviceState === "ERROR") {
    machine.flush();
    machine.initialise();
  }
}

function setCheckstop(queue: ApQueue, isCheckstopped: boolean): void {
  queue.isCheckstopped = isCheckstopped;
  queue.changed("chkstop");
  queue.changed("online");
}

function setConfigured(queue: ApQueue, isConfigured: boolean): void {
  queue.isConfigured = isConfigured;
  queue.changed("config");
  queue.changed("online");
  queue.announce("change", [["CONFIG", isConfigured ? "1" : "0"]]);
}
