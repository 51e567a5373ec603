import { chardevOption } from "../../command-line/chardev-option.ts";
import { deviceOptionsHelp } from "../../command-line/help-texts.ts";
import { keyValues } from "../../command-line/key-values.ts";
import { deviceType } from "../../devices/device-types.ts";
import { QemuError } from "../../qemu-error.ts";
import { askBalloon } from "../balloon.ts";
import { addChardev, removeChardev } from "../commands/chardev-commands.ts";
import { runStateCommands } from "../commands/run-state-commands.ts";
import type { HumanCommand } from "./human-command.ts";

/** Commands that change something. Help texts tell QEMU's facts in our words. */
export const changingCommands: readonly HumanCommand[] = [
  {
    name: "device_add",
    parameters: "driver[,prop=value][,...]",
    help: "adds a device as -device does",
    arguments: [{ name: "device", kind: "options" }],
    run: async ({ emulator }, { device = "" }) => {
      const { values, asksForHelp } = keyValues(device, "driver");
      const type = deviceType(values.get("driver") ?? "");
      if (asksForHelp && type) return `${deviceOptionsHelp(type)}\n`;
      await emulator.addDevice(values);
      return undefined;
    },
  },
  {
    name: "device_del",
    parameters: "device",
    help: "takes a device out",
    arguments: [{ name: "id", kind: "word" }],
    run: ({ emulator }, { id = "" }) => emulator.deleteDevice(id),
  },
  { name: "stop|s", parameters: "", help: "stops the guest", run: ({ emulator }) => emulator.stop() },
  { name: "cont|c", parameters: "", help: "lets the guest go on", run: ({ emulator }) => emulator.cont() },
  { name: "system_reset", parameters: "", help: "resets the guest", run: ({ emulator }) => emulator.systemReset() },
  { name: "system_powerdown", parameters: "", help: "presses the guest's power button", run: ({ emulator }) => emulator.systemPowerdown() },
  {
    name: "system_wakeup",
    parameters: "",
    help: "wakes the guest from its sleep",
    run: (context) => runStateCommands.system_wakeup.run(context, {} as never) as undefined,
  },
  {
    name: "nmi",
    parameters: "",
    help: "sends an NMI",
    run: (context) => runStateCommands["inject-nmi"].run(context, {} as never) as undefined,
  },
  { name: "quit|q", parameters: "", help: "ends the emulator", run: ({ emulator }) => emulator.quit("host-qmp-quit") },
  {
    name: "chardev-add",
    parameters: "args",
    help: "adds a character device",
    arguments: [{ name: "args", kind: "word" }],
    run: (context, { args = "" }) => addChardev(context, chardevOption(keyValues(args, "backend").values)),
  },
  {
    name: "chardev-remove",
    parameters: "id",
    help: "takes a character device away",
    arguments: [{ name: "id", kind: "word" }],
    run: (context, { id = "" }) => removeChardev(context, id),
  },
  {
    name: "getfd",
    parameters: "getfd name",
    help: "keeps a descriptor that came by SCM_RIGHTS under a name",
    arguments: [{ name: "name", kind: "word" }],
    run: () => {
      throw new QemuError("No file descriptor supplied via SCM_RIGHTS");
    },
  },
  {
    name: "closefd",
    parameters: "closefd name",
    help: "closes a descriptor that came by SCM_RIGHTS",
    arguments: [{ name: "name", kind: "word" }],
    run: (_context, { name }) => {
      throw new QemuError(`File descriptor named '${name}' not found`);
    },
  },
  {
    name: "balloon",
    parameters: "target",
    help: "asks the guest to use this many MB",
    arguments: [{ name: "target", kind: "word" }],
    run: ({ emulator }, { target }) => askBalloon(emulator, Number(target)),
  },
];
