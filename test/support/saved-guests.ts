import { generateKeyPairSync } from "node:crypto";
import type { ModelGuest } from "../../src/guest/model/model-guest.ts";
import type { LoopKey } from "../../src/guest/model/saved-guest.ts";
import type { Guest } from "../../src/host/host.ts";
import type { GuestFacilities } from "../../src/kvm/virtual-machine.ts";
import type { Linux } from "../../src/linux/linux.ts";
import { Errno } from "../../src/sysfs/errno.ts";
import type { AttributeNode, Directory } from "../../src/sysfs/node.ts";
import { readAttribute } from "../../src/sysfs/tree.ts";
import { Wait } from "../../src/sysfs/wait.ts";
import { exampleHost, type TestHost, uuids } from "./test-host.ts";

/** Model guests that are saved on one host and restored on another. */
const [uuid] = uuids;
export const guestFacilities: GuestFacilities = { ap: true, qci: true, apft: true, apqi: true, msa3: true };

/** The example with a device of adapters 5 and 6 and domains 4 and ab, for `guest1`. */
export function hostWithMdev(...[kernel = "7.2", options]: Partial<Parameters<typeof exampleHost>>): TestHost {
  const host = exampleHost(kernel, options);
  host.createMdev(uuid, { adapters: [5, 6], domains: [4, 0xab] });
  return host;
}

/** Boots and scans. */
export function startModelGuest(host: TestHost, facilities = guestFacilities): ModelGuest {
  const model = plugged(host, host.host.createGuest("guest1", facilities));
  model.run();
  host.advance(1000);
  return model;
}

/** Waits to be restored. */
export const awaitModelGuest = (host: TestHost, facilities = guestFacilities): ModelGuest =>
  plugged(host, host.host.createGuest("guest1", facilities, { isIncoming: true }));

function plugged(host: TestHost, guest: Guest): ModelGuest {
  host.run(() => host.host.openMdev(guest, uuid));
  return guest.model ?? fail("no model guest");
}

export const linuxOf = ({ linux }: ModelGuest): Linux => linux ?? fail("the guest has no Linux");

function fail(message: string): never {
  throw new Error(message);
}

/** A key for a guest's loop. */
export function makeLoopKey(bits = 1024): LoopKey {
  const { n, e, p, q, dp, dq, qi } = generateKeyPairSync("rsa", { modulusLength: bits }).privateKey.export({ format: "jwk" });
  const hex = (part = ""): string => Buffer.from(part, "base64url").toString("hex");
  return { n: hex(n), e: hex(e), p: hex(p), q: hex(q), dp: hex(dp), dq: hex(dq), u: hex(qi) };
}

/** Every path below a Linux's /sys with its text, its target or the errno that reading it ends with, but those files. */
export function treeLines(directory: Directory, without: RegExp): string[] {
  const path = directory.path === "/" ? "" : directory.path;
  return [...directory.names()].sort().flatMap((name) => {
    const node = directory.lookup(name);
    if (!node || without.test(`${path}/${name}`)) return [];
    if (node.kind === "directory") return [`${path}/${name}/`, ...treeLines(node, without)];
    return [`${path}/${name} ${node.kind === "link" ? node.text : textOf(node)}`];
  });
}

function textOf(node: AttributeNode): string {
  if (!node.attribute.show) return "-";
  try {
    const text = readAttribute(node);
    return text instanceof Wait ? "asks" : JSON.stringify(text);
  } catch (error) {
    if (error instanceof Errno) return error.code;
    throw error;
  }
}

/** Files that ask a card, and wait. */
export const askingFiles = /\/(serialnr|mkvps|op_modes|API_ordinalnr|FW_version)$/;
