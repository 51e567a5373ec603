import { type Attribute, attributeTable } from "../../sysfs/attribute.ts";
import { fail } from "../../sysfs/errno.ts";
import { Directory } from "../../sysfs/node.ts";

/**
 * /dev/vfio as files: `vfio`, the container, and one a group, which cannot be opened while its device is in use. What is done with an open
 * file of a real one is ioctls, which these refuse as they refuse to be read. Source: Linux drivers/vfio/group.c, container.c.
 */
export class VfioNodes {
  readonly directory = new Directory("vfio");

  constructor() {
    this.directory.attach(attributeTable(node("vfio", 0o666, () => false)), undefined);
  }

  add(group: number, isInUse: () => boolean): void {
    this.directory.attach(attributeTable(node(String(group), 0o600, isInUse)), undefined);
  }

  remove(group: number): void {
    this.directory.hide(String(group));
  }
}

const node = (name: string, mode: number, isInUse: () => boolean): Attribute<undefined> => ({
  name,
  mode,
  length: "varying",
  open: () => (isInUse() ? fail("EBUSY") : undefined),
  show: () => fail("EINVAL"),
  store: () => fail("EINVAL"),
});
