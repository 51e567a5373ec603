import * as v from "valibot";
import { optionWords } from "../qemu/command-line/option-words.ts";

/** How a guest was started, so that another host can start the same one to take it in. */
const text = v.pipe(v.string(), v.maxLength(4096));
/** Of a front's command line: what one request can carry. */
const maxWords = 512;

export const guestOrigin = v.variant("by", [
  v.object({
    /** The host, from its configuration. */
    by: v.literal("host"),
    guest: v.object({
      name: text,
      cpu: text,
      mdev: v.optional(text),
      boot: v.optional(
        v.object({
          linux: v.optional(text),
          kernel: v.optional(text),
          initrd: v.optional(text),
          append: v.optional(text),
          disk: v.optional(text),
          memoryMib: v.number(),
          cpus: v.number(),
        }),
      ),
    }),
  }),
  v.object({
    /** Somebody, by `qemu-system-s390x` with these words. */
    by: v.literal("front"),
    name: text,
    words: v.pipe(v.array(text), v.maxLength(maxWords)),
  }),
]);
export type GuestOrigin = v.InferOutput<typeof guestOrigin>;

/** What makes a process of its own of it, or its own monitors, files and terminals: the other host has its own. */
const leftOut: ReadonlySet<string> = new Set([
  "qmp",
  "qmp-pretty",
  "monitor",
  "mon",
  "daemonize",
  "pidfile",
  "D",
  "d",
  "S",
  "incoming",
  "msg",
  "name",
  "cpu",
]);

/** The words of a front for another host: the same machine with the same devices, whose consoles are nobody's until somebody wants them. */
export function movedWords(words: readonly string[]): string[] {
  const { options, images } = optionWords(words);
  const kept = options.flatMap(({ record: { name, takesArgument }, argument }) => {
    if (leftOut.has(name)) return [];
    if (name === "nographic") return ["-display", "none", "-serial", "null"];
    if (name === "serial") return ["-serial", argument.startsWith("chardev:") ? argument : "null"];
    if (name === "chardev") return ["-chardev", `null,id=${/(?:^|,)id=([^,]+)/.exec(argument)?.[1] ?? ""}`];
    return takesArgument ? [`-${name}`, argument] : [`-${name}`];
  });
  return [...kept, ...images];
}

/** Its -cpu option; `host` where there is none. */
export const cpuOf = (words: readonly string[]): string =>
  optionWords(words)
    .options.filter(({ record }) => record.name === "cpu")
    .at(-1)?.argument ?? "host";

/** A host model has what its host has: so the facilities are named. */
export const cpuWith = (cpu: string, facilities: Readonly<Record<"ap" | "apqci" | "apft" | "apqi", boolean>>): string =>
  [cpu, ...(["ap", "apqci", "apft", "apqi"] as const).map((name) => `${name}=${facilities[name] ? "on" : "off"}`)].join(",");
