import type { Attribute } from "../sysfs/attribute.ts";

/** The file at the mount's root that is held open to wake the server through the device; it is in no listing. */
export const wakeFileName = ".adjunct-wake";
/** Its number, the same in every mount. */
export const wakeNodeId = 2;

export const wakeAttribute: Attribute<unknown> = { name: wakeFileName, mode: 0o400, length: "varying", show: () => "" };
