import { adapterProfileName } from "../machine/adapter-profile.ts";
import type { HostConfiguration } from "./configuration.ts";
import { machineModels } from "./machine-model.ts";

/** What in a configuration is allowed and yet not as a real machine would have it, or not there yet; one sentence each. */
export function remarksOn({ machine, guests }: HostConfiguration): string[] {
  const { cardGenerations } = machineModels[machine.model];
  const cards = machine.adapters.flatMap(({ id, profile }) => {
    const name = adapterProfileName(profile);
    const generation = Number(/^CEX(\d)/.exec(name)?.[1] ?? 0);
    if ((cardGenerations as readonly number[]).includes(generation)) return [];
    return [
      `adapter ${id}: a ${machine.model} takes CEX${cardGenerations.join(", CEX")}, so it would not have a ${name}; it is emulated all the same`,
    ];
  });
  const linuxes = guests.flatMap(({ name, linux }) =>
    linux === undefined ? [] : [`guest ${name}: runs as a model guest, ${linux} is not started`],
  );
  return [...cards, ...linuxes];
}
