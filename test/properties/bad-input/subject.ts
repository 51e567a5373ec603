import { Host } from "../../../src/host/host.ts";
import type { GenerationName } from "../../../src/linux/generation.ts";
import { adapterProfile } from "../../../src/machine/adapter-profile.ts";
import { fullMachine } from "../../../src/machine/lpar.ts";
import type { AttributeNode, Directory } from "../../../src/sysfs/node.ts";

/** A host with one of everything that has files: cards of each mode, mediated devices with and without a guest, a zcrypt node. */
const uuids = ["00000001-4b4a-1484-a9b1-0c42436f40f2", "00000002-4b4a-1484-a9b1-0c42436f40f2"] as const;
const matrix = "/sys/devices/vfio_ap/matrix";

export function makeSubject(kernel: GenerationName): Host {
  const host = new Host({ name: "subject", machine: fullMachine, kernel, commandLine: "" });
  for (const domain of [4, 7]) host.machine.setUsageDomain(domain, true);
  host.machine.setControlDomain(4, true);
  host.machine.addAdapter(1, adapterProfile(11, "accelerator"));
  host.machine.addAdapter(2, adapterProfile(11, "cca"));
  host.machine.addAdapter(5, adapterProfile(11, "ep11"));
  host.linux.boot();
  host.settle();
  host.finish(host.linux.modprobe("vfio_ap"));
  host.writeNow("/sys/bus/ap/apmask", "-5");
  host.writeNow("/sys/class/zcrypt/create", "one");
  for (const [index, uuid] of uuids.entries()) {
    host.writeNow(`${matrix}/mdev_supported_types/vfio_ap-passthrough/create`, uuid);
    host.writeNow(`${matrix}/${uuid}/assign_adapter`, "5");
    host.writeNow(`${matrix}/${uuid}/assign_domain`, ["4", "7"][index]!);
  }
  host.finish(host.openMdev(host.createVirtualMachine("0"), uuids[0]));
  host.settle();
  return host;
}

/** Paths of attributes that take writes, one of each kind: attributes that are the same object are the same code. */
export function writablePaths({ linux }: Host): string[] {
  const paths = new Map<unknown, string>();
  for (const { node, path } of attributes(linux.root, "/sys")) {
    if (node.attribute.store && (node.attribute.mode & 0o222) !== 0 && !paths.has(node.attribute)) paths.set(node.attribute, path);
  }
  return [...paths.values()];
}

export function* attributes(directory: Directory, path: string): Generator<{ node: AttributeNode; path: string }> {
  for (const name of directory.names()) {
    const node = directory.lookup(name);
    if (node?.kind === "attribute") yield { node, path: `${path}/${name}` };
    else if (node?.kind === "directory") yield* attributes(node, `${path}/${name}`);
  }
}
