import { Mask } from "../../ap/mask.ts";
import { type AttributeTable, attributeTable, constant, readWrite, writeOnly } from "../../sysfs/attribute.ts";
import { fail } from "../../sysfs/errno.ts";
import { Directory } from "../../sysfs/node.ts";
import { ueventFile } from "../driver-core/uevent-file.ts";
import type { Uevents } from "../driver-core/uevents.ts";
import { parseMask } from "../text/mask-text.ts";

/**
 * Further zcrypt device nodes: the class with `create` and `destroy`, and a node's masks, all zero at its creation.
 * Source: Linux drivers/s390/crypto/zcrypt_api.c.
 */
const maxNodes = 256;
const maxNameBytes = 31;
/** The number that the class got for its devices; its nodes count from minor 0. */
const zcryptMajor = 249;

interface ZcryptNode {
  readonly minor: number;
  readonly directory: Directory;
  readonly masks: Record<"ioctlmask" | "apmask" | "aqmask" | "admask", Mask>;
}

export class ZcryptClass {
  readonly directory = new Directory("zcrypt");
  readonly #devices = new Directory("zcrypt");
  readonly #nodes = new Map<string, ZcryptNode>();

  /** `virtual` is /sys/devices/virtual, where nodes appear once there is one. */
  constructor(
    private readonly virtual: Directory,
    private readonly uevents: Uevents,
  ) {
    this.directory.attach(classAttributes, this);
  }

  create(text: string): void {
    const asked = nameIn(text);
    const minor = [...Array(maxNodes).keys()].find((candidate) => ![...this.#nodes.values()].some((node) => node.minor === candidate));
    const name = asked === "" ? `zcrypt_${minor ?? 0}` : asked;
    if (this.#nodes.has(name)) fail("EEXIST");
    if (minor === undefined) return fail("ENOSPC");
    const directory = new Directory(name);
    const node: ZcryptNode = {
      minor,
      directory,
      masks: { ioctlmask: Mask.none, apmask: Mask.none, aqmask: Mask.none, admask: Mask.none },
    };
    directory.attach(nodeAttributes, node);
    directory.addLink("subsystem", this.directory);
    if (this.#nodes.size === 0) this.virtual.addDirectory(this.#devices);
    this.#devices.addDirectory(directory);
    this.directory.addLink(name, directory);
    this.#nodes.set(name, node);
    this.#announce("add", node);
  }

  destroy(text: string): void {
    const name = nameIn(text);
    const node = this.#nodes.get(name) ?? fail("ENOENT");
    this.#nodes.delete(name);
    this.directory.remove(name);
    this.#devices.remove(name);
    if (this.#nodes.size === 0) this.virtual.remove("zcrypt");
    this.#announce("remove", node);
  }

  #announce(action: "add" | "remove", node: ZcryptNode): void {
    this.uevents.emit(action, `/devices/virtual/zcrypt/${node.directory.name}`, "zcrypt", nodeKeys(node));
  }
}

/** Blanks go at both ends, before and after it is cut; a device's name has no slash. */
const nameIn = (text: string): string => text.trimStart().slice(0, maxNameBytes).trimEnd().replaceAll("/", "!");

/** In /dev the slash is one again. */
const nodeKeys = ({ minor, directory }: ZcryptNode): [string, string][] => [
  ["MAJOR", String(zcryptMajor)],
  ["MINOR", String(minor)],
  ["DEVNAME", directory.name.replaceAll("!", "/")],
];

const classAttributes: AttributeTable<ZcryptClass> = attributeTable<ZcryptClass>(
  writeOnly("create", (zcrypt, text) => zcrypt.create(text), 0o600),
  writeOnly("destroy", (zcrypt, text) => zcrypt.destroy(text), 0o600),
);

const maskAttribute = (name: keyof ZcryptNode["masks"]) =>
  readWrite<ZcryptNode>(
    name,
    (node) => `${node.masks[name]}\n`,
    (node, text) => {
      node.masks[name] = parseMask(text, node.masks[name]);
      node.directory.changed(name);
    },
  );

const nodeAttributes: AttributeTable<ZcryptNode> = attributeTable<ZcryptNode>(
  maskAttribute("ioctlmask"),
  maskAttribute("apmask"),
  maskAttribute("aqmask"),
  maskAttribute("admask"),
  constant("dev", (node) => `${zcryptMajor}:${node.minor}\n`),
  ueventFile((node) =>
    nodeKeys(node)
      .map(([key, value]) => `${key}=${value}\n`)
      .join(""),
  ),
);
