import { adapterProfileName } from "../machine/adapter-profile.ts";
import type { HostConfiguration } from "./configuration.ts";
import { machineModels } from "./machine-model.ts";

/** What in a configuration is allowed and yet not as a real machine would have it; one sentence each. */
export function remarksOn({ machine }: HostConfiguration): string[] {
  const { cardGenerations } = machineModels[machine.model];
  return machine.adapters.flatMap(({ id, profile }) => {
    const name = adapterProfileName(profile);
    const generation = Number(/^CEX(\d)/.exec(name)?.[1] ?? 0);
    if ((cardGenerations as readonly number[]).includes(generation)) return [];
    return [
      `adapter ${id}: a ${machine.model} takes CEX${cardGenerations.join(", CEX")}, so it would not have a ${name}; it is emulated all the same`,
    ];
  });
}
