import * as v from "valibot";
import { table } from "./table.ts";

/** What `hw show` answers. */
const hardwareSchema = v.object({
  profile: v.object({ maxAdapter: v.number(), maxDomain: v.number(), facilities: v.record(v.string(), v.boolean()) }),
  adapters: v.array(
    v.object({
      id: v.number(),
      name: v.string(),
      isConfigured: v.boolean(),
      isCheckstopped: v.boolean(),
      profile: v.object({ functions: v.number(), depth: v.number(), messageLimit: v.number(), maxDomain: v.number() }),
    }),
  ),
  usageDomains: v.array(v.number()),
  controlDomains: v.array(v.number()),
});

/** The hardware for people: a table of adapters, the domains, the facilities. */
export function hardwareLines(answer: unknown): string[] {
  const { profile, adapters, usageDomains, controlDomains } = v.parse(hardwareSchema, answer);
  const rows = adapters.map(({ id, name, isConfigured, isCheckstopped, profile: { functions, depth, messageLimit } }) => [
    hex(id, 2),
    name,
    isCheckstopped ? "checkstopped" : isConfigured ? "configured" : "deconfigured",
    `0x${hex(functions, 8)}`,
    String(depth),
    `${messageLimit === 0 ? 12 : messageLimit * 4} KiB`,
  ]);
  const facilities = Object.entries(profile.facilities).flatMap(([name, isThere]) => (isThere ? [name] : []));
  return [
    ...(rows.length > 0 ? table(["ADAPTER", "TYPE", "STATE", "FUNCTIONS", "DEPTH", "MESSAGE"], rows) : ["no adapters"]),
    "",
    `usage domains    ${domains(usageDomains)}`,
    `control domains  ${domains(controlDomains)}`,
    `facilities       ${facilities.join(" ") || "none"}`,
    `largest ids      adapter ${profile.maxAdapter}, domain ${profile.maxDomain}`,
  ];
}

/** What a change was about, as it is now: the adapter, null without one, or the domains. */
export function changedPart(answer: unknown, { action, id }: { readonly action: string; readonly id?: unknown }): unknown {
  const { adapters, usageDomains, controlDomains } = v.parse(hardwareSchema, answer);
  return action.startsWith("card ") ? { adapter: adapters.find((adapter) => adapter.id === id) ?? null } : { usageDomains, controlDomains };
}

const domains = (numbers: readonly number[]): string => numbers.map((number) => hex(number, 4)).join(" ") || "none";
const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, "0");
