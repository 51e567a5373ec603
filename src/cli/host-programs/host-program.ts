import type { ControlClient } from "../../host/control-client.ts";
import type { Output } from "../command.ts";

/** A program that acts on the host it is started in; resolves with its exit status. */
export type HostProgram = (words: readonly string[], client: ControlClient, output: Output) => Promise<number>;

export interface LoadedModule {
  readonly name: string;
  readonly size: number;
  readonly usedBy: readonly string[];
  /** Modules and other users together. */
  readonly references: number;
}

/** The kernel takes - and _ in a module's name for the same. */
export const moduleName = (word: string): string => word.replaceAll("-", "_");
