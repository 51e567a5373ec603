import * as v from "valibot";
import { apqn, apqnName } from "../ap/apqn.ts";
import type { KeyOperation, KeyProblem } from "../machine/secrets/key-registers.ts";
import { type MasterKeyKind, MasterKeyKinds, masterKeyTypes } from "../machine/secrets/master-key.ts";
import { loadTestKey, testKey } from "../machine/secrets/test-keys.ts";
import { fail } from "../sysfs/errno.ts";
import { Refusal } from "./control-protocol.ts";
import type { Host } from "./host.ts";
import { type KeyPlace, keyPlaces } from "./key-places.ts";
import { type ShownKey, shownKey } from "./shown-key.ts";

/** What a key workstation does to the master keys of domains; every answer shows states and patterns, never a key. */
const id = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(255));
const kind = v.picklist(MasterKeyKinds);
/** No key has more parts than people who each hold one. */
const maxParts = 16;
const part = v.pipe(v.string(), v.regex(/^([0-9a-f]{2}){1,64}$/i));
const place = { do: v.literal("key"), adapter: id, domain: id };

export const keyCommand = v.variant("action", [
  v.object({ do: v.literal("key"), action: v.picklist(["show", "load-test"]), adapter: v.optional(id), domain: v.optional(id) }),
  v.object({
    ...place,
    action: v.literal("load"),
    kind,
    /** None: the test key. */
    parts: v.pipe(v.array(part), v.maxLength(maxParts)),
    /** Further parts come with a later command. */
    isPartial: v.boolean(),
    isSet: v.boolean(),
  }),
  v.object({ ...place, action: v.picklist(["clear", "commit", "set"]), kind }),
  v.object({ ...place, action: v.literal("zeroize") }),
]);
export type KeyCommand = v.InferOutput<typeof keyCommand>;

/** Refusal: there is no such adapter, domain or key, or its register does not allow it. EBUSY: a guest that has it migrates. */
export function runKeyCommand(host: Host, command: KeyCommand): ShownKey[] {
  if ("kind" in command) return [shownKey(host, changedKey(host, command))];
  if (command.action === "zeroize") {
    const places = keyPlaces(host, command);
    if (host.keys.zeroize(command.adapter, command.domain) !== undefined) fail("EBUSY");
    return places.map((place) => shownKey(host, place));
  }
  const places = keyPlaces(host, command);
  if (command.action === "load-test") {
    if (places.some(({ adapter, domain }) => host.keys.isHeld(adapter, domain))) fail("EBUSY");
    for (const { adapter, domain, kind } of places) loadTestKey(host.keys, adapter, domain, kind);
  }
  return places.map((place) => shownKey(host, place));
}

type ChangeCommand = Extract<KeyCommand, { readonly kind: MasterKeyKind }>;

function changedKey(host: Host, command: ChangeCommand): KeyPlace {
  const { adapter, domain, kind } = command;
  const place = keyPlaces(host, command).find((each) => each.kind === kind);
  if (!place) throw new Refusal(`adapter ${adapter} has no ${kind} key: ${kind === "ep11" ? "it is no EP11" : "it is no CCA"} coprocessor`);
  const hasParts = host.keys.registers(adapter, domain, kind).next?.state === "partial";
  const problem = host.keys.change(adapter, domain, kind, operationsOf(command, hasParts));
  if (problem === undefined) return place;
  if (problem === "held") return fail("EBUSY");
  throw new Refusal(`the new ${kind} register of ${apqnName(apqn(adapter, domain))} ${problemText(problem, kind)}`);
}

/** Parts go on where others are already, the test key does not. A key in one part is that part: a last one of zeros follows it. */
function operationsOf(command: ChangeCommand, hasParts: boolean): KeyOperation[] {
  if (command.action !== "load") return [{ do: command.action }];
  const { isCommitted, bytes } = masterKeyTypes[command.kind];
  const values =
    command.parts.length > 0 ? command.parts.map((text) => Uint8Array.from(Buffer.from(text, "hex"))) : [testKey(command.kind)];
  const isBegun = hasParts && command.parts.length > 0;
  if (!command.isPartial && !isBegun && values.length === 1) values.push(new Uint8Array(bytes));
  const loads = values.map((value, index): KeyOperation => {
    const isLast = !command.isPartial && index === values.length - 1;
    return { do: "load", part: index === 0 && !isBegun ? "first" : isLast ? "last" : "middle", value };
  });
  if (!command.isSet) return loads;
  return [...loads, ...(isCommitted ? [{ do: "commit" } as const] : []), { do: "set" }];
}

function problemText(problem: Exclude<KeyProblem, "held">, key: MasterKeyKind): string {
  const { bytes } = masterKeyTypes[key];
  switch (problem) {
    case "not-empty":
      return "is not empty: set it or clear it first";
    case "not-partial":
      return "is full: set it or clear it first";
    case "not-full":
      return "is not full: load a key first";
    case "not-committed":
      return "is not committed: load a key and commit it first";
    case "no-commitment":
      return "needs no commitment: set it";
    case "wrong-length":
      return `takes parts of ${bytes} bytes (${2 * bytes} hex digits)`;
  }
}
