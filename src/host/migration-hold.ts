import * as v from "valibot";
import { Mask } from "../ap/mask.ts";
import { keyLoadsOf, keyLoadText } from "../migration/key-rules.ts";
import { nameOf } from "../migration/queue-rules.ts";
import { matrixQuestion } from "../migration/side-facts.ts";
import { Refusal } from "./control-protocol.ts";
import type { Host } from "./host.ts";
import { migrationFacts } from "./migration-facts.ts";

/**
 * Holds of a guest that migrates: what they keep is in src/linux/migration-holds.ts. Whoever takes one lets it go; the process of the host does
 * that for a connection that ends. Commands come one at a time, so no load of a key is under way inside one of them: it is where a new register
 * has some parts of its key and not all.
 */
export const holdCommand = v.variant("action", [
  v.object({ do: v.literal("migration-hold"), action: v.literal("take"), about: matrixQuestion }),
  v.object({ do: v.literal("migration-hold"), action: v.literal("release"), hold: v.number() }),
]);
export type HoldCommand = v.InferOutput<typeof holdCommand>;

/** A number to release it by. Refusal: a key load is under way. */
export function runHoldCommand(host: Host, command: HoldCommand): number | undefined {
  const { migrationHolds: held } = host;
  if (command.action === "release") {
    held.get(command.hold)?.();
    held.delete(command.hold);
    return undefined;
  }
  const { about } = command;
  const [load] = keyLoadsOf(migrationFacts(host, about));
  if (load) {
    const where = `${nameOf(load.place)} of ${host.name}`;
    throw new Refusal(`a master key of ${where} is being loaded (${keyLoadText(load)}): load its last part or clear it, then migrate`);
  }
  const { adapters, domains, controlDomains } = about.matrix;
  const matrix = { adapters: Mask.from(adapters), usageDomains: Mask.from(domains), controlDomains: Mask.from(controlDomains) };
  const number = Math.max(0, ...held.keys()) + 1;
  held.set(number, host.linux.bus.holds.hold({ guest: about.guest ?? "", uuid: about.uuid ?? "", matrix }));
  return number;
}
