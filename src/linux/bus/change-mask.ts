import { Mask } from "../../ap/mask.ts";
import { fail } from "../../sysfs/errno.ts";
import { parseMask } from "../text/mask-text.ts";
import type { Job } from "../time/work-queue.ts";
import type { ApBus } from "./ap-bus.ts";
import type { ApDriver } from "./ap-driver.ts";

/** A write to apmask or aqmask, in the kernel's order of steps. */
export function* changeMask(bus: ApBus, which: "adapters" | "domains", text: string): Job<void> {
  const after = yield* bus.attributeLock.hold(function* () {
    return replaceMask(bus, which, text);
  });
  if (!after) return;
  const name = which === "adapters" ? "apmask" : "aqmask";
  bus.directory.changed(name);
  yield* reviseBindings(bus);
  bus.rootDevice.announce("change", [[name.toUpperCase(), `${after}\n`]]);
}

/** The new mask; undefined when it is the old one. */
function replaceMask(bus: ApBus, which: "adapters" | "domains", text: string): Mask | undefined {
  const { masks, generation } = bus;
  if (generation.hasDriverOverride && masks.overrides > 0) fail("EINVAL");
  const before = masks[which];
  const after = parseMask(text, before);
  if (after.equals(before)) return undefined;
  const added = after.andNot(before);
  bus.holds.refuseMask(which, added.or(before.andNot(after)));
  if (!added.isEmpty && generation.inUseCheck !== "none") {
    const other = generation.inUseCheck === "all-ones" ? Mask.all : masks[which === "adapters" ? "domains" : "adapters"];
    const [adapters, domains] = which === "adapters" ? [added, other] : [other, added];
    for (const driver of bus.apDrivers()) if (driver.inUse?.(adapters, domains)) fail("EBUSY");
  }
  masks[which] = after;
  masks.noteUse();
  return after;
}

function* reviseBindings(bus: ApBus): Job<void> {
  for (const queue of [...bus.queueDevices()]) {
    const driver = queue.driver as ApDriver | undefined;
    const isWrong =
      queue.driverOverride !== undefined
        ? driver?.name !== queue.driverOverride
        : bus.masks.isHostReserved(queue.adapter, queue.domain) !== (driver?.isDefault ?? false);
    if (isWrong) yield* bus.reprobe(queue);
    yield undefined;
  }
}
