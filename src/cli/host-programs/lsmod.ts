import type { HostProgram, LoadedModule } from "./host-program.ts";

/** Columns as kmod's lsmod.c prints them. */
export const lsmod: HostProgram = async (_words, linux, { print }) => {
  print("Module                  Size  Used by");
  for (const { name, size, usedBy, references } of (await linux.ask("modules")) as LoadedModule[]) {
    print(`${name.padEnd(19)} ${String(size).padStart(8)}  ${references}${usedBy.length > 0 ? ` ${usedBy.join(",")}` : ""}`);
  }
  return 0;
};
