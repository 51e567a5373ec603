import { Mask } from "../../ap/mask.ts";
import { type AttributeTable, attributeTable, readWrite, writeOnly } from "../../sysfs/attribute.ts";
import { fail } from "../../sysfs/errno.ts";
import type { Directory } from "../../sysfs/node.ts";
import { DeviceClass, type DeviceNumber } from "../driver-core/device-class.ts";
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

export interface ZcryptNode {
  readonly minor: number;
  readonly masks: Record<(typeof maskNames)[number], Mask>;
}

export class ZcryptClass {
  readonly #class: DeviceClass;
  readonly #nodes = new Map<string, ZcryptNode>();

  /** `virtual` is /sys/devices/virtual, where nodes appear once there is one. */
  constructor(virtual: Directory, uevents: Uevents) {
    this.#class = new DeviceClass("zcrypt", virtual, uevents);
    this.directory.attach(classAttributes, this);
  }

  get directory(): Directory {
    return this.#class.directory;
  }

  /** By name, in the order they were created. */
  get nodes(): ReadonlyMap<string, ZcryptNode> {
    return this.#nodes;
  }

  create(text: string): void {
    const asked = nameIn(text);
    const minor = [...Array(maxNodes).keys()].find((candidate) => ![...this.#nodes.values()].some((node) => node.minor === candidate));
    const name = asked === "" ? `zcrypt_${minor ?? 0}` : asked;
    if (this.#nodes.has(name)) fail("EEXIST");
    if (minor === undefined) return fail("ENOSPC");
    this.add(name, { minor, masks: { ioctlmask: Mask.none, apmask: Mask.none, aqmask: Mask.none, admask: Mask.none } });
  }

  add(name: string, node: ZcryptNode): void {
    this.#nodes.set(name, node);
    this.#class.add(name, numberOf(name, node), (device) => device.attach(maskAttributes(device), node));
  }

  destroy(text: string): void {
    const name = nameIn(text);
    const node = this.#nodes.get(name) ?? fail("ENOENT");
    this.#nodes.delete(name);
    this.#class.remove(name, numberOf(name, node));
  }
}

/** Blanks go at both ends, before and after it is cut; a device's name has no slash. */
const nameIn = (text: string): string => text.trimStart().slice(0, maxNameBytes).trimEnd().replaceAll("/", "!");

/** In /dev the slash is one again. */
const numberOf = (name: string, { minor }: ZcryptNode): DeviceNumber => ({
  major: zcryptMajor,
  minor,
  node: name.replaceAll("!", "/"),
});

const classAttributes: AttributeTable<ZcryptClass> = attributeTable<ZcryptClass>(
  writeOnly("create", (zcrypt, text) => zcrypt.create(text), 0o600),
  writeOnly("destroy", (zcrypt, text) => zcrypt.destroy(text), 0o600),
);

export const maskNames = ["ioctlmask", "apmask", "aqmask", "admask"] as const;

const maskAttributes = (device: Directory): AttributeTable<ZcryptNode> =>
  attributeTable(
    ...maskNames.map((name) =>
      readWrite<ZcryptNode>(
        name,
        ({ masks }) => `${masks[name]}\n`,
        ({ masks }, text) => {
          masks[name] = parseMask(text, masks[name]);
          device.changed(name);
        },
      ),
    ),
  );
