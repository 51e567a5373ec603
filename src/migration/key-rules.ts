import { Functions } from "../ap/queue-info.ts";
import { type Finding, finding, typed } from "./finding.ts";
import { nameOf } from "./queue-rules.ts";
import type { KeyRegister, QueueFacts, SideFacts } from "./side-facts.ts";

/**
 * Master keys move with nobody: what a guest made under one is of use at the destination only where the card has the same. So a difference
 * is a warning. A key load that is under way is more: nobody can say which key the guest will meet, and the document wants migration
 * blocked meanwhile.
 */
interface Place {
  readonly adapter: number;
  readonly domain: number;
  readonly keys: readonly KeyRegister[];
}

/** A new register that has some of its parts: a load is under way until the last one comes or it is cleared. */
export interface KeyLoad {
  readonly place: Place;
  /** As `mkvps` calls it. */
  readonly key: string;
}

export const keyLoadsOf = (side: SideFacts): KeyLoad[] =>
  placesOf(side).flatMap((place) =>
    place.keys.filter(({ register, state }) => register === "NEW" && state === "partial").map(({ key }) => ({ place, key })),
  );

export const keyLoadText = ({ key }: KeyLoad): string => `${key} NEW is partial`;

export function keyLoadFindings(source: SideFacts, target: SideFacts): Finding[] {
  return [source, target].flatMap((side) =>
    keyLoadsOf(side).map((load) =>
      finding("key-load", {
        subject: nameOf(load.place),
        source: side === source ? keyLoadText(load) : "",
        target: side === target ? keyLoadText(load) : "",
        remedy: `load the last part of the key on ${side.host}, or clear it: ${keyCommand(side, "clear", load.place, load.key)}`,
      }),
    ),
  );
}

const placesOf = ({ queues, controlledKeys }: SideFacts): Place[] => [
  ...queues.flatMap(({ adapter, domain, keys }) => (keys ? [{ adapter, domain, keys }] : [])),
  ...controlledKeys,
];

/** Keys that the source's queue can use and the destination's cannot. */
export function masterKeyFindings(source: QueueFacts, target: QueueFacts, side: SideFacts): Finding[] {
  // A card of another mode has other kinds of keys, and is refused before anybody misses one.
  if (!hasMasterKeys(source) || modeOf(source) !== modeOf(target) || !source.keys || !target.keys) return [];
  const usable = new Set(target.keys.filter(isUsable).map(({ key, pattern }) => `${key} ${pattern}`));
  return source.keys
    .filter((register) => isUsable(register) && !usable.has(`${register.key} ${register.pattern}`))
    .map((register) => {
      const { key, pattern } = register;
      const current = target.keys?.find((other) => other.key === key && other.register === "CUR");
      return finding("master-key", {
        subject: nameOf(source),
        source: `${key} ${register.register} ${pattern}`,
        target: `${key} CUR ${current?.pattern ?? current?.state ?? "unknown"}`,
        remedy: `secure keys under it are refused after the move until ${side.host} has the key: ${keyCommand(side, "load", source, key)}`,
      });
    });
}

const keyCommand = (
  { host }: SideFacts,
  step: "load" | "clear",
  { adapter, domain }: Pick<Place, "adapter" | "domain">,
  key: string,
): string => `adjunct hw ${host} key ${step} ${typed(adapter)} ${typed(domain)} ${key === "WK" ? "ep11" : key.toLowerCase()}`;

const isUsable = ({ register, state, pattern }: KeyRegister): boolean => register !== "NEW" && state === "valid" && pattern !== null;

export const hasMasterKeys = (queue: QueueFacts): boolean => modeOf(queue) !== 0;

const modeOf = ({ tapq }: QueueFacts): number => tapq.functions & (Functions.cca | Functions.ep11);
