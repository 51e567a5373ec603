/** The id of the vfio-ap device that a guest of a configuration has. */
export const mdevDeviceId = "hostdev0";

const mdevFolder = "/sys/devices/vfio_ap/matrix";

/** The device of a guest of the configuration, and the one that is plugged into it by its mediated device alone. */
export const mdevDevice = (uuid: string): ReadonlyMap<string, string> =>
  new Map([
    ["driver", "vfio-ap"],
    ["id", mdevDeviceId],
    ["sysfsdev", `${mdevFolder}/${uuid}`],
  ]);
