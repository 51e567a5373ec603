import type { SendCommand } from "./command-guest-port.ts";
import type { MediatedDeviceConfiguration } from "./configuration.ts";
import { hasMdev } from "./mdev-files.ts";
import { refusedStep } from "./start-step.ts";

const matrix = "/sys/devices/vfio_ap/matrix";

/**
 * Makes the mediated devices of a configuration by writes, as an administrator would. One that is there already, because mdevctl started its
 * definition, stays as it is. Resolves with a remark on each of these; rejects with the step that was refused.
 */
export async function startConfiguredMdevs(mdevs: readonly MediatedDeviceConfiguration[], send: SendCommand): Promise<string[]> {
  const write = async (path: string, value: string): Promise<void> => {
    try {
      await send({ do: "write", path, data: `${value}\n` });
    } catch (error) {
      throw refusedStep(`write "${value}" to ${path}`, error);
    }
  };
  const remarks: string[] = [];
  for (const { uuid, adapters, domains, controlDomains } of mdevs) {
    const mdev = `${matrix}/${uuid}`;
    if (await hasMdev(send, uuid)) {
      remarks.push(`${uuid} was started as mdevctl has it defined; the file's is not made`);
      continue;
    }
    await write(`${matrix}/mdev_supported_types/vfio_ap-passthrough/create`, uuid);
    for (const id of adapters) await write(`${mdev}/assign_adapter`, String(id));
    for (const id of domains) await write(`${mdev}/assign_domain`, String(id));
    for (const id of controlDomains) await write(`${mdev}/assign_control_domain`, String(id));
  }
  return remarks;
}
