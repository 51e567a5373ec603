import type { Output } from "../command.ts";
import type { LinuxClient } from "../linux-client.ts";

/** A program that acts on the Linux it is started in; resolves with its exit status. */
export type HostProgram = (words: readonly string[], linux: LinuxClient, output: Output) => Promise<number>;

export interface LoadedModule {
  readonly name: string;
  readonly size: number;
  readonly usedBy: readonly string[];
  /** Modules and other users together. */
  readonly references: number;
}

/** The kernel takes - and _ in a module's name for the same. */
export const moduleName = (word: string): string => word.replaceAll("-", "_");
