import * as v from "valibot";
import { generationNames } from "../linux/generation.ts";
import { adapterProfileByName } from "../machine/adapter-profile.ts";
import { adapterClasses } from "./adapter-description.ts";
import { machineModelNames } from "./machine-model.ts";

/**
 * The form of a configuration file. Every message here completes "expected …"; unknown keys are refused by the strict objects.
 */
export const hostNamePattern = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,31}$/;
const uuidPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export const facilityNames = ["ap", "qci", "apft", "apqi", "apxa", "qact", "rc8a", "apsb"] as const;

const number = (first: number, last: number, what = "a number") => {
  const expected = `${what} from ${first} to ${last}`;
  return v.pipe(v.number(expected), v.integer(expected), v.minValue(first, expected), v.maxValue(last, expected));
};

/** A list has keys, too, for valibot. */
const isNoList = (expected: string) => v.check((value: unknown) => !Array.isArray(value), expected);

const map = <Entries extends v.ObjectEntries>(entries: Entries, expected: string) =>
  v.pipe(v.unknown(), isNoList(expected), v.strictObject(entries, expected));

const mapOf = <Key extends v.GenericSchema<string, string>, Value extends v.GenericSchema>(key: Key, value: Value, expected: string) =>
  v.pipe(v.unknown(), isNoList(expected), v.record(key, value, expected));

const text = (expected: string) => v.string(expected);
/** An empty one would be the folder that the file is in. */
const pathOf = (expected: string) => v.pipe(v.string(expected), v.nonEmpty(expected));
const yesOrNo = v.boolean("true or false");
const oneOf = <const Words extends readonly string[]>(words: Words) => v.picklist(words, `one of ${words.join(", ")}`);
const matching = (pattern: RegExp, expected: string) => v.pipe(v.string(expected), v.regex(pattern, expected));

const adapterNumber = number(0, 255, "an adapter number");
const domainNumber = number(0, 255, "a domain number");
const domainList = v.array(domainNumber, "a list of domain numbers such as [4, 0x47]");

/** Keys of a map arrive as text. */
const adapterKey = v.pipe(
  v.string(),
  v.check((key) => /^(\d+|0x[0-9a-f]+)$/i.test(key) && Number(key) <= 255, "an adapter number from 0 to 255"),
);
const uuidText = matching(uuidPattern, "a UUID such as 62177883-f1bb-47f0-914d-32a22e3a8804");

const adapterSchema = map(
  {
    type: v.pipe(
      text("a card type such as CEX5C"),
      v.check((type) => adapterProfileByName(type) !== undefined, "a card type such as CEX5C"),
    ),
    "raw-type": v.optional(number(1, 255, "a type number")),
    functions: v.optional(number(0, 0xffffffff, "a functions word")),
    class: v.optional(oneOf(adapterClasses)),
    filtering: v.optional(yesOrNo),
    depth: v.optional(number(1, 16, "a queue depth")),
    "message-limit": v.optional(number(0, 15, "a limit in units of 4 KiB")),
    "max-domain": v.optional(number(0, 255, "a domain number")),
    configured: v.optional(yesOrNo),
    checkstop: v.optional(yesOrNo),
  },
  "an adapter such as { type: CEX5C }",
);

const machineSchema = map(
  {
    model: v.optional(oneOf(machineModelNames), "z16"),
    facilities: v.optional(v.array(oneOf(facilityNames), `a list of ${facilityNames.join(", ")}`)),
    "max-adapter": v.optional(adapterNumber),
    "max-domain": v.optional(domainNumber),
    "announces-changes": v.optional(yesOrNo, true),
    "reset-ms": v.optional(number(0, 600_000, "milliseconds"), 0),
    adapters: v.optional(mapOf(adapterKey, adapterSchema, "adapters by number, such as { 5: { type: CEX5C } }"), {}),
    "usage-domains": v.optional(domainList),
    "control-domains": v.optional(domainList),
    "master-keys": v.optional(oneOf(["none", "test"]), "none"),
  },
  "a machine such as { adapters: { 5: { type: CEX5C } }, usage-domains: [4] }",
);

const mdevSchema = map(
  {
    adapters: v.optional(v.array(adapterNumber, "a list of adapter numbers such as [5, 6]"), []),
    domains: v.optional(domainList, []),
    "control-domains": v.optional(domainList, []),
  },
  "a matrix such as { adapters: [5], domains: [4] }",
);

const guestSchema = map(
  {
    cpu: v.optional(text("a -cpu option such as host,ap=on"), "host"),
    mdev: v.optional(uuidText),
    linux: v.optional(text("the name of a Linux such as debian-12")),
    kernel: v.optional(pathOf("the path of a kernel")),
    initrd: v.optional(pathOf("the path of an initial RAM disk")),
    append: v.optional(text("a kernel command line")),
    disk: v.optional(pathOf("the path of a disk image")),
    memory: v.optional(number(128, 1024 * 1024, "a number of MiB")),
    cpus: v.optional(number(1, 64, "a number of processors")),
  },
  "a guest such as { mdev: 62177883-f1bb-47f0-914d-32a22e3a8804 }",
);

const nameExpected = "letters, digits, dots, dashes and underscores, at most 32, the first a letter or digit";

export const configurationSchema = map(
  {
    name: matching(hostNamePattern, nameExpected),
    kernel: v.optional(oneOf(generationNames), "7.2"),
    cmdline: v.optional(text("a kernel command line such as ap.apmask=0xffff"), ""),
    modules: v.optional(v.array(matching(/^[a-z0-9_]+$/, "the name of a module"), "a list such as [vfio_ap]"), ["vfio_ap"]),
    machine: v.optional(machineSchema, {}),
    apmask: v.optional(text('a text such as "-5,-6"')),
    aqmask: v.optional(text('a text such as "-4,-0x47"')),
    attributes: v.optional(
      mapOf(
        matching(/^\/sys\/[^\0]+$/, "a path that starts with /sys/"),
        v.union([v.string(), v.array(v.string())], "the text of an attribute, or a list of texts to write"),
        "texts by path",
      ),
      {},
    ),
    mdevs: v.optional(mapOf(uuidText, mdevSchema, "mediated devices by UUID"), {}),
    guests: v.optional(mapOf(matching(hostNamePattern, nameExpected), guestSchema, "guests by name"), {}),
  },
  "a map of name, machine, mdevs and so on",
);

export type ConfigurationInput = v.InferOutput<typeof configurationSchema>;

/** Keys whose values are texts even when they look like numbers. */
export const textKeys: ReadonlySet<string> = new Set([
  "name",
  "kernel",
  "cmdline",
  "apmask",
  "aqmask",
  "cpu",
  "mdev",
  "linux",
  "kernel",
  "initrd",
  "append",
  "disk",
  "type",
]);
