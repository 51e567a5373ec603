import type { MonitorRecord } from "./command-line.ts";
import { keyValues } from "./key-values.ts";
import type { OptionUse } from "./option-words.ts";
import { structuredOption } from "./structured-option.ts";

/**
 * What a command line asks of a stock QEMU that runs a real guest: everything that this front does not do itself. Undefined where there is
 * nothing to boot: a model guest. The processor is TCG's, whatever the guest's model; AP, monitors and run state are the front's.
 */
export function stockWords(
  options: readonly OptionUse[],
  images: readonly string[],
  front: {
    readonly monitors: readonly MonitorRecord[];
    readonly isNographic: boolean;
    readonly hasSerial: boolean;
    readonly hasDefaults: boolean;
  },
): readonly string[] | undefined {
  if (images.length === 0 && !options.some(({ record }) => bootOptions.has(record.name))) return undefined;
  const monitorChardevs = new Set(front.monitors.map(({ chardev }) => chardev));
  const words = options.flatMap((option) => wordsOf(option, monitorChardevs));
  if (front.isNographic) {
    words.push("-display", "none");
    if (front.hasDefaults && !front.hasSerial) words.push("-serial", "stdio");
  }
  return [...words, "-monitor", "none", ...images];
}

/** A kernel or a disk. */
const bootOptions = new Set("kernel drive hda hdb hdc hdd cdrom blockdev".split(" "));

/** Those that the front does itself, or that would change what it relies on. */
const frontOptions = new Set(
  (
    "accel enable-kvm machine M cpu mon monitor qmp qmp-pretty S daemonize pidfile D no-shutdown no-reboot action nographic gdb s msg " +
    "only-migratable incoming mem-path mem-prealloc"
  ).split(" "),
);

/** Kinds of objects that stand for guest memory, which is shared with this process here, and those that only newer QEMUs have. */
const isFrontObject = (type: unknown): boolean => String(type).startsWith("memory-backend-") || type === "iommufd";

function wordsOf({ record, argument, text }: OptionUse, monitorChardevs: ReadonlySet<string>): string[] {
  const { name, takesArgument } = record;
  if (frontOptions.has(name)) return [];
  if (name === "device" && driverOf(argument) === "vfio-ap") return [];
  if (name === "object" && isFrontObject(structuredOption(argument, "qom-type").values.get("qom-type"))) return [];
  if (name === "chardev" && monitorChardevs.has(keyValues(argument, "backend").values.get("id") ?? "")) return [];
  return takesArgument ? [text.slice(0, text.length - argument.length - 1), argument] : [text];
}

const driverOf = (argument: string): string | undefined => {
  const driver = structuredOption(argument, "driver").values.get("driver");
  return typeof driver === "string" ? driver : undefined;
};
