/**
 * IBM Z models: what a configuration file need not say. The limits are defaults only, a file may set others, since the documents'
 * examples go beyond what any model has. Source: IBM's technical guides of the models (85 domains for 85 LPARs; card families that
 * are new or carried forward). How many adapter ids a model reports is not published; 255 is the architecture's limit.
 */
export interface MachineModel {
  readonly maxAdapter: number;
  readonly maxDomain: number;
  /** The Crypto Express generations that can be plugged. */
  readonly cardGenerations: readonly number[];
}

const lpars85 = { maxAdapter: 255, maxDomain: 84 } as const;

export const machineModels = {
  z13: { ...lpars85, cardGenerations: [5] },
  z14: { ...lpars85, cardGenerations: [5, 6] },
  z15: { ...lpars85, cardGenerations: [5, 6, 7] },
  z16: { ...lpars85, cardGenerations: [6, 7, 8] },
  z17: { ...lpars85, cardGenerations: [7, 8] },
} as const satisfies Record<string, MachineModel>;

export type MachineModelName = keyof typeof machineModels;

export const machineModelNames = Object.keys(machineModels) as MachineModelName[];
