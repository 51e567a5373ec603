import { type Apqn, adapterOf, apqn, apqnName, domainName, domainOf } from "../../../src/ap/apqn.ts";
import { decodeStatus } from "../../../src/ap/status.ts";
import type { ApMasks } from "../../../src/kvm/crycb.ts";
import type { ApDriver } from "../../../src/linux/bus/ap-driver.ts";
import type { ApQueue } from "../../../src/linux/bus/ap-queue.ts";
import type { MatrixMdev } from "../../../src/linux/vfio-ap/matrix-mdev.ts";
import { check } from "./check.ts";
import type { Party, World } from "./world.ts";

/**
 * One queue, one owner: what must hold after every operation, whatever is under way. What is checked is what the hardware would
 * do: the masks in a guest's control block and the contents of the queues, not what the driver remembers of them.
 */
export function checkOwnership(world: World): void {
  checkGuestsAreDisjoint(world);
  checkNoGuestHasAQueueOfTheHost(world);
  checkGuestMatrices(world);
  checkNothingIsLeftBehind(world);
  if (!world.isQuiet) return;
  checkMatrices(world);
  checkFiltering(world);
  checkDrivers(world);
}

const has = ({ adapters, usageDomains }: ApMasks, queue: Apqn): boolean =>
  adapters.has(adapterOf(queue)) && usageDomains.has(domainOf(queue));

const meet = (left: ApMasks, right: ApMasks): boolean =>
  left.adapters.intersects(right.adapters) && left.usageDomains.intersects(right.usageDomains);

const pairs = <T>(all: readonly T[]): [T, T][] => all.flatMap((left, index) => all.slice(index + 1).map((right): [T, T] => [left, right]));

const masksOf = (masks: ApMasks): string => matrixText(masks).trim().replaceAll("\n", " ");

function checkGuestsAreDisjoint({ parties }: World): void {
  for (const [left, right] of pairs(parties)) {
    const [a, b] = [left.guest.vm.masks, right.guest.vm.masks];
    check(!meet(a, b), () => `one owner: guests ${left.number} (${masksOf(a)}) and ${right.number} (${masksOf(b)}) reach the same queue`);
  }
}

/** Whether one of the host's own drivers has the queue. */
const isHosts = (queue: ApQueue | undefined): boolean => (queue?.driver as ApDriver | undefined)?.isDefault === true;

function checkNoGuestHasAQueueOfTheHost({ host, parties }: World): void {
  for (const queue of host.linux.bus.queues.values()) {
    if (!isHosts(queue)) continue;
    for (const { guest, number } of parties) {
      check(!has(guest.vm.masks, queue.apqn), () => `one owner: guest ${number} reaches ${queue.name}, which ${queue.driver?.name} has`);
    }
  }
}

/** The text of `guest_matrix` for such masks. */
function matrixText({ adapters, usageDomains }: ApMasks): string {
  const name = (adapter: number): string => adapter.toString(16).padStart(2, "0");
  if (adapters.isEmpty) return [...usageDomains].map((domain) => `.${domainName(domain)}\n`).join("");
  if (usageDomains.isEmpty) return [...adapters].map((adapter) => `${name(adapter)}.\n`).join("");
  return [...adapters].flatMap((adapter) => [...usageDomains].map((domain) => `${name(adapter)}.${domainName(domain)}\n`)).join("");
}

/** The device that serves the guest, also while it is being closed. */
const deviceOf = ({ host }: World, { guest }: Party): MatrixMdev | undefined =>
  host.linux.vfioAp?.matrixMdevs.find(({ user }) => user?.vm === guest.vm);

function guestMatrixText(world: World, matrixMdev: MatrixMdev): string | undefined {
  const { directory } = matrixMdev.mdev;
  const node = directory.lookup("guest_matrix");
  return node?.kind === "attribute" ? (world.host.read(`/sys${directory.path}/guest_matrix`) as string) : undefined;
}

/** While a removal waits for its guest, the kernel takes the queues away from the guest and gives them back with the next change. */
const isRequestedBack = (matrixMdev: MatrixMdev | undefined): boolean => matrixMdev?.mdev.removal !== undefined;

function checkGuestMatrices(world: World): void {
  for (const party of world.parties) {
    const { number, guest } = party;
    const held = matrixText(guest.vm.masks);
    const device = deviceOf(world, party);
    const isClosing = guest.mdev === undefined;
    if (held === "" && (isClosing || isRequestedBack(device))) continue;
    const shown = device && guestMatrixText(world, device);
    check(shown === held, () => `guest_matrix: guest ${number} has ${JSON.stringify(held)}, its device shows ${JSON.stringify(shown)}`);
  }
}

/** Matrices share no queue, and none names a queue that the masks reserve for the host. */
function checkMatrices({ host, setting, hasUsedOverrides }: World): void {
  const { vfioAp, bus } = host.linux;
  const mdevs = vfioAp?.matrixMdevs ?? [];
  for (const [left, right] of pairs(mdevs)) {
    check(!meet(left.matrix, right.matrix), () => `sharing: ${left.uuid} and ${right.uuid} have the same queue in their matrices`);
  }
  if (hasUsedOverrides || setting.kernel === "4.20") return;
  const { adapters, domains } = bus.masks;
  for (const { uuid, matrix } of mdevs) {
    const isHosts = matrix.adapters.intersects(adapters) && matrix.usageDomains.intersects(domains);
    check(!isHosts, () => `sharing: the matrix of ${uuid} (${masksOf(matrix)}) names a queue that apmask and aqmask reserve`);
  }
}

/** A bound queue has a driver of the kind that the masks leave it to. */
function checkDrivers({ host, hasUsedOverrides }: World): void {
  const { masks, queues } = host.linux.bus;
  if (hasUsedOverrides) return;
  for (const { name, driver, adapter, domain } of queues.values()) {
    const isFitting = !driver || (driver as ApDriver).isDefault === masks.isHostReserved(adapter, domain);
    check(isFitting, () => `binding: ${name} has ${driver?.name}, against apmask and aqmask`);
  }
}

/** What a guest has or would have was assigned, is the host's, and all of it is bound to vfio_ap. */
function checkFiltering({ host: { linux } }: World): void {
  const { vfioAp, bus } = linux;
  if (!vfioAp || !linux.generation.isDynamic) return;
  for (const { uuid, matrix, guestMatrix } of vfioAp.matrixMdevs) {
    for (const which of ["adapters", "usageDomains", "controlDomains"] as const) {
      const surplus = guestMatrix[which].andNot(matrix[which].and(vfioAp.host[which]));
      check(surplus.isEmpty, () => `filtering: ${uuid} gives ${which} ${[...surplus]}, not assigned or not the host's`);
    }
    for (const adapter of guestMatrix.adapters) {
      for (const domain of guestMatrix.usageDomains) {
        const driver = bus.queues.get(apqn(adapter, domain))?.driver;
        check(driver?.name === "vfio_ap", () => `filtering: ${uuid} gives ${apqnName(apqn(adapter, domain))}, which vfio_ap has not`);
      }
    }
  }
}

/**
 * A queue that holds something of one guest is out of every other owner's reach, and is empty once nothing is under way and its
 * guest lost it.
 */
function checkNothingIsLeftBehind(world: World): void {
  for (const [queue, number] of world.dirty) {
    const { status, responseCode } = world.instructions.tapq(queue);
    if (responseCode !== 0) continue;
    const sender = world.parties[number]!;
    if (decodeStatus(status).queueEmpty) {
      if (!has(sender.guest.vm.masks, queue)) world.lossCount++;
      world.dirty.delete(queue);
      continue;
    }
    if (isForgiven(world, sender, queue)) {
      world.dirty.delete(queue);
      continue;
    }
    const left = (): string => `leftovers: ${apqnName(queue)} still holds a message of guest ${number}`;
    for (const other of world.parties) {
      if (other !== sender) check(!has(other.guest.vm.masks, queue), () => `${left()} and guest ${other.number} reaches it`);
    }
    check(!isHosts(world.host.linux.bus.queues.get(queue)), () => `${left()} and one of the host's drivers has it`);
    if (has(sender.guest.vm.masks, queue) || isRequestedBack(deviceOf(world, sender)) || !world.isQuiet) continue;
    check(false, () => `${left()}, which lost it; resets so far: ${world.resets.slice(-8).join(", ")}`);
  }
}

/**
 * Up to Linux 6.7 the queues of an adapter that is filtered out of a guest's matrix were not reset, except the one that was unbound;
 * unassigned later, they went to the next guest as they were. Where jobs sleep, both may happen in one operation: nothing tells then.
 */
function isForgiven({ host, setting }: World, { guest }: Party, queue: Apqn): boolean {
  if (host.linux.generation.resetsFilteredAdapters || has(guest.vm.masks, queue)) return false;
  const jobsMeet = setting.givesWay || setting.resetDurationMs > 0;
  return jobsMeet || (guest.mdev !== undefined && has(guest.mdev.matrix, queue));
}
