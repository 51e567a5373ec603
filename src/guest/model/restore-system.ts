import type { LogLine } from "../../linux/kernel-log.ts";
import { parseHexMask } from "../../linux/text/mask-text.ts";
import type { Job } from "../../linux/time/work-queue.ts";
import { CryptoLoop } from "./crypto-loop.ts";
import { restoreBus } from "./restore-bus.ts";
import { SavedGuestError } from "./saved-form.ts";
import { type SavedSystem, savedLine } from "./saved-guest.ts";
import type { System } from "./system.ts";

/** Makes a new system what another one was; where that fails the system is of no use. SavedGuestError, Errno. */
export function restoreSystem(system: System, saved: SavedSystem): void {
  const { linux, timers } = system;
  timers.advanceTo(saved.clockMs);
  finish(restoreLinux(system, saved));
  if (saved.loop) system.loop = new CryptoLoop(linux, saved.loop);
  linux.uevents.continueFrom(saved.uevents);
  const first = saved.nextLine - saved.log.length;
  if (first < 0) throw new SavedGuestError("the saved guest is damaged: its log has more lines than were written");
  linux.log.continueFrom(
    saved.log.map((line, index) => ({ sequence: first + index, ...lineOf(line) })),
    saved.nextLine,
  );
}

function lineOf(line: string): Omit<LogLine, "sequence"> {
  const [, level, timeMs, text = ""] = savedLine.exec(line) ?? [];
  return { timeMs: Number(timeMs), level: Number(level), text };
}

function* restoreLinux({ linux }: System, { modules, nodes, bus }: SavedSystem): Job<void> {
  yield* linux.bootStanding(modules);
  for (const { name, minor, masks } of nodes) {
    const { ioctlmask, apmask, aqmask, admask } = masks;
    linux.zcryptNodes?.add(name, {
      minor,
      masks: {
        ioctlmask: parseHexMask(ioctlmask),
        apmask: parseHexMask(apmask),
        aqmask: parseHexMask(aqmask),
        admask: parseHexMask(admask),
      },
    });
  }
  if (bus) yield* restoreBus(linux, bus);
}

/** Nothing here waits for anything. */
function finish(job: Job<void>): void {
  for (let step = job.next(); !step.done; step = job.next()) {
    if (step.value && !step.value.outcome) throw new SavedGuestError("the saved guest is damaged: restoring it would not end");
  }
}
