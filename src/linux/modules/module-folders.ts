import { type Attribute, type AttributeTable, attributeTable, readOnly } from "../../sysfs/attribute.ts";
import { Directory } from "../../sysfs/node.ts";
import type { ApBus } from "../bus/ap-bus.ts";
import { ueventTrigger } from "../driver-core/uevent-file.ts";

/** The folders in /sys/module of what is built into the kernel: a uevent file, perhaps parameters, perhaps drivers. */
const uevent: AttributeTable<undefined> = attributeTable<undefined>(ueventTrigger());

export function builtInModule(name: string, ...folders: Directory[]): Directory {
  const directory = new Directory(name);
  directory.attach(uevent, undefined);
  for (const folder of folders) directory.addDirectory(folder);
  return directory;
}

/** A string parameter that nobody gave prints `(null)`. */
const text = (bus: ApBus, name: string): string => `${bus.parameters.get(name) ?? "(null)"}\n`;

/** /sys/module/ap/parameters. Source: Linux drivers/s390/crypto/ap_bus.c, module_param_named. */
export function apParameters(bus: ApBus): Directory {
  const { apParameterMode: mode, hasMessagePoolParameter } = bus.generation;
  const parameter = (name: string, show: () => string, own = mode): Attribute<undefined> => readOnly(name, show, own);
  const directory = new Directory("parameters");
  directory.attach(
    attributeTable<undefined>(
      parameter("domain", () => `${bus.defaultDomain}\n`),
      parameter("poll_thread", () => `${bus.parameters.get("poll_thread") ?? 0}\n`),
      parameter("useirq", () => `${bus.parameters.get("useirq") ?? 1}\n`),
      parameter("apmask", () => text(bus, "apmask")),
      parameter("aqmask", () => text(bus, "aqmask")),
      hasMessagePoolParameter && parameter("msgpool_min_items", () => `${bus.parameters.get("msgpool_min_items") ?? 8}\n`, 0o400),
    ),
    undefined,
  );
  return directory;
}

/** /sys/module/zcrypt/parameters of the kernels that have a parameter. Source: Linux drivers/s390/crypto/zcrypt_api.c. */
export function zcryptParameters(name: "hwrng_seed" | "mempool_threshold"): Directory {
  const directory = new Directory("parameters");
  const parameter = name === "hwrng_seed" ? readOnly(name, () => "1\n", 0o440) : readOnly(name, () => "5\n", 0o400);
  directory.attach(attributeTable<undefined>(parameter), undefined);
  return directory;
}
