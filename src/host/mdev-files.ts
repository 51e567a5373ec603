import type { SendCommand } from "./command-guest-port.ts";

/** Mediated devices by the files of a host, as an administrator makes and removes them. */
const matrix = "/sys/devices/vfio_ap/matrix";

export async function hasMdev(send: SendCommand, uuid: string): Promise<boolean> {
  try {
    await send({ do: "list", path: `${matrix}/${uuid}` });
    return true;
  } catch {
    return false;
  }
}

/** The UUID. */
export async function createMdev(send: SendCommand, uuid: string): Promise<string> {
  await send({ do: "write", path: `${matrix}/mdev_supported_types/vfio_ap-passthrough/create`, data: `${uuid}\n` });
  return uuid;
}

export async function removeMdev(send: SendCommand, uuid: string): Promise<void> {
  await send({ do: "write", path: `${matrix}/${uuid}/remove`, data: "1\n" });
}
