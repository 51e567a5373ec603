/** The name of a device in messages: the last component of its path, so the mediated device's UUID. */
export const vfioName = (sysfsdev: string): string => sysfsdev.split("/").at(-1) ?? sysfsdev;
