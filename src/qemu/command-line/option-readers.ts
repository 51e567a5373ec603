import { checkId } from "../devices/device-checks.ts";
import { deviceType } from "../devices/device-types.ts";
import { defaultMemoryBytes } from "../emulator-options.ts";
import { userObjectTypes } from "../objects/qom-types.ts";
import { QemuError } from "../qemu-error.ts";
import { chardevOption } from "./chardev-option.ts";
import type { DeviceUse, ObjectUse } from "./command-line.ts";
import type { CommandLineDraft } from "./command-line-draft.ts";
import {
  accelHelp,
  chardevHelp,
  cpuHelp,
  deviceHelp,
  deviceOptionsHelp,
  helpText,
  machineHelp,
  objectHelp,
  versionText,
} from "./help-texts.ts";
import { flagWarnings, keyValues } from "./key-values.ts";
import { memorySize } from "./memory-size.ts";
import type { OptionUse } from "./option-words.ts";
import { structuredOption } from "./structured-option.ts";

/** Adds to the draft what one option says. QemuError. */
export const readOption = (draft: CommandLineDraft, option: OptionUse): void => readers[canonical(option.record.name)]?.(draft, option);

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

type Reader = (draft: CommandLineDraft, option: OptionUse) => void;

const aliases: Readonly<Record<string, string>> = { M: "machine", h: "help" };
const canonical = (name: string): string => aliases[name] ?? name;

const readers: Readonly<Record<string, Reader>> = {
  help: (draft) => {
    draft.help = helpText();
  },
  version: (draft) => {
    draft.help = versionText;
  },
  machine: (draft, option) => {
    const read = keyValues(option.argument, "type");
    draft.warnings.push(...flagWarnings(option.text, read));
    if (read.asksForHelp || isHelp(read.values.get("type"))) draft.help = machineHelp();
    for (const [key, value] of read.values) draft.machine.set(key, value);
  },
  accel: (draft, { argument, text }) => {
    const { values } = keyValues(argument, "accel");
    const name = values.get("accel") ?? "";
    if (isHelp(name)) draft.help = accelHelp();
    else if (name !== "kvm" && name !== "tcg") throw new QemuError(`invalid accelerator ${name}`);
    draft.accelerators.push({ name, place: text });
  },
  "enable-kvm": (draft) => {
    draft.machine.set("accel", "kvm");
  },
  cpu: (draft, { argument }) => {
    if (isHelp(argument)) draft.help = cpuHelp();
    draft.cpu = argument;
  },
  smp: (draft, { argument }) => {
    draft.smp = argument;
  },
  m: (draft, { argument }) => {
    const { values } = keyValues(argument, "size");
    for (const key of values.keys()) if (!["size", "slots", "maxmem"].includes(key)) throw invalidParameter(key);
    const size = values.get("size");
    if (size !== undefined) draft.memoryBytes = memorySize(size, "size", "M") || defaultMemoryBytes;
    const slots = values.get("slots");
    if (slots !== undefined && !/^\d+$/.test(slots)) throw new QemuError("Parameter 'slots' expects a number");
  },
  name: (draft, { argument }) => {
    const { values } = keyValues(argument, "guest");
    for (const key of values.keys()) if (!["guest", "process", "debug-threads"].includes(key)) throw invalidParameter(key);
    draft.name = values.get("guest") ?? draft.name;
  },
  uuid: (draft, { argument }) => {
    if (!uuidPattern.test(argument)) throw new QemuError("failed to parse UUID string: wrong format");
    draft.uuid = argument.toLowerCase();
  },
  device: (draft, option) => {
    const read = structuredOption(option.argument, "driver");
    draft.warnings.push(...flagWarnings(option.text, read));
    const driver = read.values.get("driver");
    if (isHelp(driver)) draft.help = deviceHelp();
    else if (read.asksForHelp) draft.help = helpOn(String(driver));
    if (!read.isJson) checkUnique(draft.devices, read.values.get("id"));
    draft.devices.push({ options: read.values, place: option.text });
  },
  object: (draft, option) => {
    const { values, isJson } = structuredOption(option.argument, "qom-type");
    const type = values.get("qom-type");
    if (isHelp(type)) draft.help = objectHelp();
    else draft.objects.push(objectUse(values, draft.objects, { isJson, place: option.text }));
  },
  chardev: (draft, { argument, text }) => {
    const read = keyValues(argument, "backend");
    draft.warnings.push(...flagWarnings(text, read));
    if (isHelp(read.values.get("backend"))) draft.help = chardevHelp();
    else {
      const record = chardevOption(read.values);
      if (draft.chardevs.some((use) => use.record.id === record.id)) throw new QemuError(`Duplicate ID '${record.id}' for chardev`);
      draft.chardevs.push({ record, place: text });
    }
  },
  mon: (draft, { argument, text }) => {
    const { values } = keyValues(argument, "chardev");
    draft.hasMonitorOption = true;
    const mode = values.get("mode") ?? "readline";
    if (mode !== "readline" && mode !== "control") throw new QemuError(`Parameter 'mode' does not accept value '${mode}'`);
    for (const key of values.keys()) if (!["chardev", "mode", "pretty", "id"].includes(key)) throw invalidParameter(key);
    const chardev = values.get("chardev");
    if (chardev === undefined) throw new QemuError("Parameter 'chardev' is missing");
    draft.monitors.push({ chardev, mode, isPretty: onOff(values, "pretty"), place: text });
  },
  qmp: (draft, option) => {
    draft.hasMonitorOption = true;
    draft.addCompatMonitor(option, "control");
  },
  "qmp-pretty": (draft, option) => {
    draft.hasMonitorOption = true;
    draft.addCompatMonitor(option, "control", true);
  },
  monitor: (draft, option) => {
    draft.hasMonitorOption = true;
    if (option.argument !== "none") draft.addCompatMonitor(option, "readline");
  },
  serial: (draft, option) => draft.addSerial(option),
  display: (draft, { argument, text }) => {
    const type = argument.split(",")[0] ?? "";
    if (!displays.has(type)) throw new QemuError(`Parameter 'type' does not accept value '${type}'`);
    if (type !== "none") draft.ignored.push(text);
  },
  nographic: (draft) => {
    draft.isNographic = true;
  },
  nodefaults: (draft) => {
    draft.hasDefaults = false;
  },
  S: (draft) => {
    draft.isPaused = true;
  },
  daemonize: (draft) => {
    draft.isDaemon = true;
  },
  pidfile: (draft, { argument }) => {
    draft.pidFile = argument;
  },
  D: (draft, { argument }) => {
    draft.logFile = argument;
  },
  d: (draft, { text }) => {
    draft.ignored.push(text);
  },
  "no-shutdown": (draft) => {
    draft.actions = { ...draft.actions, shutdown: "pause" };
  },
  "no-reboot": (draft) => {
    draft.actions = { ...draft.actions, reboot: "shutdown" };
  },
  action: (draft, { argument, text }) => {
    const read = keyValues(argument);
    draft.warnings.push(...flagWarnings(text, read));
    for (const [key, value] of read.values) {
      const allowed = actionValues[key];
      if (!allowed) throw invalidParameter(key);
      if (!allowed.includes(value)) throw new QemuError(`Parameter '${key}' does not accept value '${value}'`);
      if (key === "shutdown" || key === "reboot") draft.actions = { ...draft.actions, [key]: value };
    }
  },
  msg: (draft, { argument, text }) => {
    const read = keyValues(argument);
    const { values } = read;
    draft.warnings.push(...flagWarnings(text, read));
    for (const key of values.keys()) if (key !== "timestamp" && key !== "guest-name") throw invalidParameter(key);
    draft.messages = { hasTimestamp: onOff(values, "timestamp"), hasGuestName: onOff(values, "guest-name") };
  },
  "only-migratable": (draft) => {
    draft.isMigratableOnly = true;
  },
  incoming: (draft, { argument, text }) => {
    draft.incoming = { argument, place: text };
  },
  readconfig: () => {
    throw new QemuError("configuration files are not read, write their options on the command line");
  },
  global: (draft, { text }) => {
    draft.ignored.push(text);
  },
};

const displays = new Set("none gtk sdl curses vnc egl-headless spice-app dbus default".split(" "));

const actionValues: Readonly<Record<string, readonly string[]>> = {
  reboot: ["reset", "shutdown"],
  shutdown: ["poweroff", "pause"],
  panic: ["pause", "shutdown", "exit-failure", "none"],
  watchdog: ["reset", "shutdown", "poweroff", "pause", "debug", "none", "inject-nmi"],
};

const isHelp = (value: unknown): boolean => value === "help" || value === "?";

const invalidParameter = (key: string): QemuError => new QemuError(`Invalid parameter '${key}'`);

function onOff(values: ReadonlyMap<string, string>, key: string): boolean {
  const value = values.get(key) ?? "off";
  if (value !== "on" && value !== "off") throw new QemuError(`Parameter '${key}' expects 'on' or 'off'`);
  return value === "on";
}

function helpOn(driver: string): string {
  const type = deviceType(driver);
  if (!type) throw new QemuError(`'${driver}' is not a valid device model name`);
  return deviceOptionsHelp(type);
}

/** Where a device is written in QEMU's own syntax its id is looked at before anything else. */
function checkUnique(devices: readonly DeviceUse[], id: unknown): void {
  checkId(id);
  if (id !== undefined && devices.some(({ options }) => options.get("id") === id)) throw new QemuError(`Duplicate ID '${id}' for device`);
}

function objectUse(
  values: ReadonlyMap<string, unknown>,
  others: readonly ObjectUse[],
  { isJson, place }: { readonly isJson: boolean; readonly place: string },
): ObjectUse {
  const [type, id] = [values.get("qom-type"), values.get("id")];
  if (type === undefined) throw new QemuError("Parameter 'qom-type' is missing");
  if (!userObjectTypes.includes(String(type))) throw new QemuError(`Parameter 'qom-type' does not accept value '${type}'`);
  if (id === undefined) throw new QemuError("Parameter 'id' is missing");
  if (!isJson || typeof id === "string") checkId(id);
  if (others.some((other) => other.id === id)) throw new QemuError(`Duplicate ID '${id}' for object`);
  const members = [...values].filter(([name]) => name !== "qom-type" && name !== "id");
  return { type: String(type), id: String(id), values: new Map(members), place };
}
