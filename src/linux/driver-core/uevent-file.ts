import { type Attribute, readWrite, writeOnly } from "../../sysfs/attribute.ts";
import { fail } from "../../sysfs/errno.ts";
import { parseSyntheticUevent } from "./uevents.ts";

/**
 * The `uevent` file of an object whose events nobody is told of: it takes what the kernel takes and refuses what it refuses.
 * Devices of a bus have one of their own, which announces.
 */
const acceptUevent = (_owner: unknown, text: string): void => {
  if (!parseSyntheticUevent(text)) fail("EINVAL");
};

export const ueventTrigger = <Owner>(): Attribute<Owner> => writeOnly("uevent", acceptUevent);

export const ueventFile = <Owner>(show: (owner: Owner) => string): Attribute<Owner> => readWrite("uevent", show, acceptUevent);
