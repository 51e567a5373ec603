import { QemuError } from "../../qemu-error.ts";
import { command, type QmpCommand } from "../qmp/qmp-command.ts";
import { bool, object, oneOf, optional } from "../schema/schema-type.ts";

/** As run states are listed. Source: QEMU 10.2.2 qapi/run-state.json. */
const runStates = [
  "debug",
  "inmigrate",
  "internal-error",
  "io-error",
  "paused",
  "postmigrate",
  "prelaunch",
  "finish-migrate",
  "restore-vm",
  "running",
  "save-vm",
  "shutdown",
  "suspended",
  "watchdog",
  "guest-panicked",
  "colo",
] as const;

export const runStateCommands = {
  "query-status": command({
    returns: object({ running: bool, status: oneOf(...runStates) }),
    run: ({ emulator }) => ({ running: emulator.runState === "running", status: emulator.runState }),
  }),
  stop: command({ run: ({ emulator }) => emulator.stop() }),
  cont: command({ run: ({ emulator }) => emulator.cont() }),
  system_reset: command({ run: ({ emulator }) => emulator.systemReset() }),
  system_powerdown: command({ run: ({ emulator }) => emulator.systemPowerdown() }),
  system_wakeup: command({
    run: () => {
      throw new QemuError("wake-up from suspend is not supported by this guest");
    },
  }),
  "inject-nmi": command({
    run: ({ emulator }) => {
      const isEmpty = emulator.machine.options.type.isEmpty === true;
      throw new QemuError(
        isEmpty ? "this feature or command is not currently supported" : "A model guest has no processor that an NMI could reach",
      );
    },
  }),
  // A guest here has no watchdog, and what a panic does follows from shutdown alone: other words for them are taken and change nothing.
  "set-action": command({
    arguments: {
      reboot: optional(oneOf("reset", "shutdown")),
      shutdown: optional(oneOf("poweroff", "pause")),
      panic: optional(oneOf("pause", "shutdown", "exit-failure", "none")),
      watchdog: optional(oneOf("reset", "shutdown", "poweroff", "pause", "debug", "none", "inject-nmi")),
    },
    run: ({ emulator }, { reboot, shutdown }) => emulator.setActions({ ...(reboot && { reboot }), ...(shutdown && { shutdown }) }),
  }),
  "query-current-machine": command({
    returns: object({ "wakeup-suspend-support": bool }),
    run: () => ({ "wakeup-suspend-support": false }),
  }),
} satisfies Record<string, QmpCommand>;
