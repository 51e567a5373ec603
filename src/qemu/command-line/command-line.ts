import type { ChardevRecord } from "../chardev/chardev.ts";
import type { DeviceOptions } from "../devices/device-checks.ts";
import type { GuestActions } from "../emulator-options.ts";
import { CommandLineDraft } from "./command-line-draft.ts";
import { afterLines, located } from "./located-error.ts";
import type { Accelerator, MachineChoice } from "./machine-option.ts";
import { readOption } from "./option-readers.ts";
import { optionWords } from "./option-words.ts";
import { stockWords } from "./stock-words.ts";

/** A monitor as -mon, -qmp and -monitor describe it. */
export interface MonitorRecord {
  /** The id of its character device. */
  readonly chardev: string;
  readonly mode: "readline" | "control";
  readonly isPretty: boolean;
  /** Where it stands, for messages. */
  readonly place: string;
}

export interface ChardevUse {
  readonly record: ChardevRecord;
  readonly place: string;
  /** What QEMU says besides why it cannot be opened. */
  readonly failure?: string;
}

export interface DeviceUse {
  readonly options: DeviceOptions;
  readonly place: string;
}

export interface ObjectUse {
  readonly type: string;
  readonly id: string;
  /** All other members. */
  readonly values: ReadonlyMap<string, unknown>;
  readonly place: string;
}

/** Everything that the words after the program's name say. */
export interface CommandLine {
  readonly name: string | undefined;
  readonly uuid: string | undefined;
  readonly machine: MachineChoice;
  readonly accelerator: Accelerator;
  readonly cpu: string | undefined;
  readonly cpus: number;
  readonly maxCpus: number;
  readonly memoryBytes: number;
  readonly devices: readonly DeviceUse[];
  readonly objects: readonly ObjectUse[];
  readonly chardevs: readonly ChardevUse[];
  readonly monitors: readonly MonitorRecord[];
  readonly isPaused: boolean;
  readonly isDaemon: boolean;
  readonly pidFile: string | undefined;
  /** -D: where QEMU writes its log. */
  readonly logFile: string | undefined;
  readonly actions: GuestActions;
  /** -msg: what stands before each line on stderr. */
  readonly messages: { readonly hasTimestamp: boolean; readonly hasGuestName: boolean };
  readonly isMigratableOnly: boolean;
  /** -incoming: where a guest comes from, or `defer`. */
  readonly incoming: { readonly argument: string; readonly place: string } | undefined;
  /** What a stock QEMU is asked for that runs this guest; undefined: nothing is there to boot, it is a model guest. */
  readonly stock: readonly string[] | undefined;
  /** Options that mean nothing to a model guest, as typed. */
  readonly ignored: readonly string[];
  /** Lines for stderr that end nothing. */
  readonly warnings: readonly string[];
}

/** A text that was asked for, instead of a virtual machine. */
export interface HelpText {
  readonly help: string;
}

/** Reads words of a command line as QEMU does. QemuError: nothing is started then, the exit status is 1. */
export function readCommandLine(words: readonly string[]): CommandLine | HelpText {
  const { options, images } = optionWords(words);
  const draft = new CommandLineDraft();
  draft.ignored.push(...images);
  try {
    for (const option of options) {
      if (!option.record.isRead) draft.ignored.push(option.text);
      else located(option.text, () => readOption(draft, option));
      if (draft.help !== undefined) return { help: draft.help };
    }
    const commandLine = draft.complete();
    const { isNographic, hasSerialOption: hasSerial, hasDefaults, monitors } = draft;
    return { ...commandLine, stock: stockWords(options, images, { monitors, isNographic, hasSerial, hasDefaults }) };
  } catch (error) {
    throw afterLines(draft.warnings, error);
  }
}
