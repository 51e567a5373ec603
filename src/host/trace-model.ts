import * as v from "valibot";
import type { CreateModel, Model } from "../runtime/model.ts";
import { fail } from "../sysfs/errno.ts";
import { hardwareLine, traceStart } from "./replay.ts";
import { changeTraceHardware, makeTraceHost, TraceLog } from "./replay-target.ts";

/** A trace's host for the model thread: the lines that are no file operations are its commands. */
const traceCommand = v.union([
  hardwareLine,
  v.object({ vm: v.number() }),
  v.object({ open: v.number(), mdev: v.string() }),
  v.object({ close: v.number() }),
  v.object({ settle: v.literal(true) }),
  v.object({ take: v.literal("log") }),
]);

export const createTraceModel: CreateModel = (configuration): Model => {
  const host = makeTraceHost(v.parse(traceStart, configuration));
  const log = new TraceLog(host);
  const guest = (vm: number) => host.guests.get(String(vm)) ?? fail("ENODEV");
  return {
    root: host.root,
    get nextTimerMs() {
      return host.nextTimerMs;
    },
    tick: (nowMs) => host.tick(nowMs),
    beginInput: (input) => host.beginInput(input),
    work: (budgetMs) => host.work(budgetMs),
    hasWorkOf: (input) => host.hasWorkOf(input),
    command(request) {
      const line = v.parse(traceCommand, request);
      if ("hw" in line) return changeTraceHardware(host, line);
      if ("vm" in line) return void host.createVirtualMachine(String(line.vm));
      if ("open" in line) return host.openMdev(guest(line.open), line.mdev);
      if ("close" in line) return host.closeMdev(guest(line.close));
      return "take" in line ? log.take() : host.settle();
    },
  };
};
