import { Functions, modeOf } from "../../ap/queue-info.ts";
import type { GenerationName } from "../../linux/generation.ts";
import { bitsOf, type RecordedAdapter } from "./recording.ts";
import type { SysfsFolder } from "./sysfs-folder.ts";

const oldTypes: Readonly<Record<number, string>> = { 6: "CEX2A", 7: "CEX2C", 8: "CEX3A", 9: "CEX3C" };
const firstNewType = 10;
const lastNewType = 14;
const letters = { accelerator: "A", cca: "C", ep11: "P" } as const;
const bytesPerUnit = 4096;
/** Shown for a limit of 0. */
const defaultMessageBytes = 12288;

/** The cards of /sys/devices/ap, and those of the LPAR that this kernel has no device for. */
export function recordAdapters(sys: SysfsFolder, kernel: GenerationName): RecordedAdapter[] {
  const cards = sys.folder("devices/ap");
  // Until 6.1 `depth` is the TAPQ field, one less.
  const depthOffset = kernel === "4.20" || kernel === "6.0" || kernel === "6.1" ? 1 : 0;
  const adapters = cards.names.flatMap((name) => {
    const id = /^card([0-9a-f]{2})$/.exec(name)?.[1];
    return id === undefined ? [] : [recordCard(Number.parseInt(id, 16), cards.folder(name), depthOffset)];
  });
  const seen = new Set(adapters.map(({ id }) => id));
  for (const id of bitsOf(sys.folder("bus/ap").line("ap_adapter_mask"))) if (!seen.has(id)) adapters.push(unknownAdapter(id));
  return adapters.sort((left, right) => left.id - right.id);
}

function recordCard(id: number, card: SysfsFolder, depthOffset: number): RecordedAdapter {
  const hardwareType = card.number("hwtype") ?? lastNewType;
  const rawType = card.number("raw_hwtype") ?? hardwareType;
  const functions = card.line("ap_functions");
  const depth = card.number("depth");
  const messageBytes = card.number("max_msg_size");
  return {
    id,
    type: typeName(hardwareType, Number(functions ?? Functions.cca)),
    rawType: rawType === hardwareType ? undefined : rawType,
    functions,
    depth: depth === undefined ? undefined : depth + depthOffset,
    messageLimit: messageBytes === undefined ? undefined : messageBytes === defaultMessageBytes ? 0 : messageBytes / bytesPerUnit,
    isConfigured: card.line("config") !== "0",
    isCheckstopped: card.line("chkstop") === "1",
  };
}

/** An adapter of the LPAR without a device is one that this kernel has no driver for: older than CEX4. */
const unknownAdapter = (id: number): RecordedAdapter => ({
  id,
  type: "CEX3C",
  rawType: undefined,
  functions: undefined,
  depth: undefined,
  messageLimit: undefined,
  isConfigured: true,
  isCheckstopped: false,
});

function typeName(hardwareType: number, functions: number): string {
  const old = oldTypes[hardwareType];
  if (old !== undefined) return old;
  const generation = Math.min(Math.max(hardwareType, firstNewType), lastNewType) - firstNewType + 4;
  return `CEX${generation}${letters[modeOf(functions) ?? "cca"]}`;
}
