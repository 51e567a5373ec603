import { saveBus } from "./save-bus.ts";
import { SavedGuestError } from "./saved-form.ts";
import { mostLineLetters, mostSavedLines, type SavedSystem } from "./saved-guest.ts";
import type { System } from "./system.ts";

/** SavedGuestError: it has what cannot go along, or does what cannot be stopped at this moment. */
export function saveSystem({ linux, timers, bootId, loop }: System): SavedSystem {
  const uuids = linux.mdevCore.mdevs.map(({ uuid }) => uuid);
  if (uuids.length > 0) throw new SavedGuestError(`the guest has mediated devices of its own, which cannot go along: ${uuids.join(", ")}`);
  if (linux.bus.isBusy) throw new SavedGuestError("the guest is changing the drivers of its queues at this moment");
  const { log, uevents, modules, zcryptNodes } = linux;
  return {
    bootId,
    clockMs: timers.nowMs,
    nextLine: log.nextSequence,
    log: log.lines.slice(-mostSavedLines).map(({ timeMs, level, text }) => `${level},${timeMs};${text.slice(0, mostLineLetters)}`),
    uevents: uevents.sequence,
    modules: modules.modules.map(({ name }) => name).reverse(),
    nodes: [...(zcryptNodes?.nodes ?? [])].map(([name, { minor, masks }]) => ({
      name,
      minor,
      masks: {
        ioctlmask: String(masks.ioctlmask),
        apmask: String(masks.apmask),
        aqmask: String(masks.aqmask),
        admask: String(masks.admask),
      },
    })),
    bus: linux.bus.instructions.areAvailable ? saveBus(linux) : null,
    loop: loop?.saved() ?? null,
  };
}
