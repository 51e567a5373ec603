import { makePrograms, makeRootFolder } from "./host-folder.ts";
import { createHostNamespace, enterNamespaceCommand } from "./host-namespace.ts";
import { startDefinedMdevs } from "./mdevctl-autostart.ts";
import type { HostPlaces } from "./places.ts";
import { programEnvironment } from "./program-environment.ts";
import type { UeventProperties } from "./uevents/uevent-frames.ts";

/** What a mounted host has around its Linux, as a machine has around its kernel: programs, namespaces, and what udev does there. */
export interface HostSystem {
  readonly namespacePid: number;
  /** What this machine could not give and what mdevctl complained of, one sentence each. */
  readonly problems: readonly string[];
  /** A uevent of the host's Linux; resolves when the programs that should hear of it have. */
  take(properties: UeventProperties): Promise<void>;
  close(): Promise<void>;
}

/** The tree is mounted already. Devices that mdevctl has defined to start by themselves are there afterwards. */
export async function startHostSystem(places: HostPlaces, complain: (text: string) => void): Promise<HostSystem> {
  makePrograms(places.programs, places.controlSocket);
  const environment = programEnvironment({ host: places.name, guest: undefined, programs: places.programs });
  const namespace = await createHostNamespace(places, { run: places.runFolder, environment });
  const before = enterNamespaceCommand({ pid: namespace.pid, network: "own", hasUserNamespace: false, workingDirectory: "/" });
  const startDefined = (): Promise<string[]> => startDefinedMdevs(places.etc, { before, environment });
  try {
    makeRootFolder(places);
    return {
      namespacePid: namespace.pid,
      problems: [...namespace.problems, ...(await startDefined())],
      take(properties) {
        // As with udev, nobody waits for that.
        if (isRegistration(properties)) void startDefined().then((complaints) => complaints.forEach(complain));
        return namespace.sendUevent(properties);
      },
      close: () => namespace.close(),
    };
  } catch (error) {
    await namespace.close();
    throw error;
  }
}

/** vfio_ap was loaded: its device takes mediated devices from now on. */
const isRegistration = (properties: UeventProperties): boolean =>
  properties.some(([key, value]) => key === "MDEV_STATE" && value === "registered");
