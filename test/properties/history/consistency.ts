import type { Host } from "../../../src/host/host.ts";
import type { Directory, Link, TreeNode } from "../../../src/sysfs/node.ts";
import { check } from "./check.ts";

/** What the files of the tree say of one another: every check reads the tree and nothing else. */
const offeredInstances = 65536;

/** Holds at any time. */
export function checkLinks(root: Directory): void {
  for (const { link, path } of links(root, "")) {
    check(follow(link.parent, link.text, root) === link.target, () => `tree: ${path} -> ${link.text} does not lead to its target`);
  }
}

/** Holds when nothing is under way. */
export function checkCounts({ linux: { root } }: Host): void {
  checkBus(root, "ap");
  checkBus(root, "mdev");
  checkBus(root, "matrix");
  checkApDevices(root);
  checkMdevs(root);
}

function* links(directory: Directory, path: string): Generator<{ link: Link; path: string }> {
  for (const child of directory.children) {
    const name = child.kind === "link" ? child.name : undefined;
    if (child.kind === "link") yield { link: child, path: `${path}/${name}` };
    else yield* links(child, `${path}/${child.name}`);
  }
}

function follow(from: Directory, text: string, root: Directory): TreeNode | undefined {
  let at: TreeNode | undefined = from;
  for (const name of text.split("/")) {
    if (at?.kind !== "directory") return undefined;
    at = name === ".." ? (at === root ? undefined : at.parent) : at.lookup(name);
  }
  return at;
}

const find = (root: Directory, path: string): TreeNode | undefined => follow(root, path, root);

const directory = (root: Directory, path: string): Directory => {
  const node = find(root, path);
  check(node?.kind === "directory", () => `tree: /${path} is no directory`);
  return node;
};

function text(root: Directory, path: string): string | undefined {
  const node = find(root, path);
  if (node?.kind !== "attribute") return undefined;
  const shown = node.attribute.show?.(node.owner);
  return typeof shown === "string" ? shown.trim() : undefined;
}

const childDirectories = (parent: TreeNode | undefined): Directory[] =>
  parent?.kind === "directory" ? [...parent.children].filter((child) => child.kind === "directory") : [];

const childLinks = (parent: TreeNode | undefined): Link[] =>
  parent?.kind === "directory" ? [...parent.children].filter((child) => child.kind === "link") : [];

const targets = (parent: TreeNode | undefined): Set<Directory> => new Set(childLinks(parent).map((link) => link.target));

const linkTarget = (device: Directory, name: string): Directory | undefined => {
  const link = device.lookup(name);
  return link?.kind === "link" ? link.target : undefined;
};

const same = <T>(left: ReadonlySet<T>, right: ReadonlySet<T>): boolean =>
  left.size === right.size && [...left].every((one) => right.has(one));

/** Devices and drivers of a bus name each other. */
function checkBus(root: Directory, name: string): void {
  const bus = find(root, `bus/${name}`);
  if (bus?.kind !== "directory") return;
  const devices = targets(bus.lookup("devices"));
  for (const link of childLinks(bus.lookup("devices"))) {
    check(link.name === link.target.name, () => `tree: /bus/${name}/devices/${link.name} leads to ${link.target.name}`);
    check(linkTarget(link.target, "subsystem") === bus, () => `tree: ${link.name} is a device of another bus`);
    const driver = linkTarget(link.target, "driver");
    if (!driver) continue;
    check(linkTarget(driver, link.name) === link.target, () => `tree: ${link.name} has the driver ${driver.name}, which does not list it`);
  }
  for (const driver of childDirectories(bus.lookup("drivers"))) {
    for (const { name: device, target } of childLinks(driver)) {
      if (device === "module") continue;
      check(devices.has(target), () => `tree: the driver ${driver.name} lists ${device}, which is no device of its bus`);
      check(linkTarget(target, "driver") === driver, () => `tree: the driver ${driver.name} lists ${device}, which has another one`);
    }
  }
}

/** Cards and queues are devices of the AP bus, all of them and nothing else; `bindings` counts queues. */
function checkApDevices(root: Directory): void {
  const cards = childDirectories(directory(root, "devices/ap"));
  const queues = cards.flatMap(childDirectories);
  check(
    same(targets(find(root, "bus/ap/devices")), new Set([...cards, ...queues])),
    () => "tree: /bus/ap/devices and the directories of cards and queues differ",
  );
  const bindings = text(root, "bus/ap/bindings");
  if (bindings === undefined) return;
  const bound = queues.filter((queue) => linkTarget(queue, "driver")).length;
  const expected = bound === queues.length ? `${bound}/${bound} (complete)` : `${bound}/${queues.length}`;
  check(bindings === expected, () => `tree: bindings says ${bindings}, the links ${expected}`);
}

const isMdev = ({ name }: Directory): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(name);
/** A removal that waits for a guest took its file and its type's links away already. */
const isLeaving = (mdev: Directory): boolean => mdev.lookup("remove") === undefined;

function checkMdevs(root: Directory): void {
  const mdevs = childDirectories(find(root, "devices/vfio_ap/matrix")).filter(isMdev);
  const type = find(root, "devices/vfio_ap/matrix/mdev_supported_types/vfio_ap-passthrough");
  if (type?.kind === "directory") {
    const left = text(type, "available_instances");
    check(left === String(offeredInstances - mdevs.length), () => `tree: ${left} instances are left beside ${mdevs.length} devices`);
    const offered = new Set(mdevs.filter((mdev) => !isLeaving(mdev)));
    check(same(targets(type.lookup("devices")), offered), () => "tree: the type's devices and the mediated devices differ");
    for (const mdev of offered) check(linkTarget(mdev, "mdev_type") === type, () => `tree: ${mdev.name} has no type`);
  }
  const known = find(root, "bus/mdev/devices");
  if (known) check(same(targets(known), new Set(mdevs)), () => "tree: /bus/mdev/devices and the mediated devices differ");
  checkGroups(root, mdevs);
}

/** A bound mediated device has an IOMMU group of its own, and what VFIO makes of it. */
function checkGroups(root: Directory, mdevs: readonly Directory[]): void {
  const bound = new Set(mdevs.filter((mdev) => linkTarget(mdev, "driver") || linkTarget(mdev, "iommu_group")));
  const groups = childDirectories(find(root, "kernel/iommu_groups"));
  const members = groups.map((group) => ({ group, devices: targets(group.lookup("devices")) }));
  check(same(new Set(members.flatMap(({ devices }) => [...devices])), bound), () => "tree: IOMMU groups and mediated devices differ");
  for (const { group, devices } of members) {
    check(devices.size === 1, () => `tree: IOMMU group ${group.name} has ${devices.size} devices`);
    for (const mdev of devices) check(linkTarget(mdev, "iommu_group") === group, () => `tree: ${mdev.name} has another IOMMU group`);
  }
  const numbers = new Set(groups.map((group) => group.name));
  const vfio = find(root, "class/vfio");
  if (vfio) check(same(new Set(childLinks(vfio).map((link) => link.name)), numbers), () => "tree: VFIO groups and IOMMU groups differ");
  const vfioDevices = targets(find(root, "class/vfio-dev"));
  const owned = new Set([...bound].flatMap((mdev) => childDirectories(mdev.lookup("vfio-dev"))));
  check(same(vfioDevices, owned), () => "tree: /class/vfio-dev and the devices' vfio-dev folders differ");
}
