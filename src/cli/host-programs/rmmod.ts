import { ControlRefusal } from "../../host/control-client.ts";
import { errnoText } from "../../sysfs/errno-text.ts";
import { type HostProgram, type LoadedModule, moduleName } from "./host-program.ts";

/** Texts as kmod's rmmod.c prints them. */
export const rmmod: HostProgram = async (words, linux, { note }) => {
  const names = words.filter((word) => !word.startsWith("-"));
  if (names.length === 0) {
    note("rmmod: ERROR: missing module name.");
    return 1;
  }
  let status = 0;
  for (const word of names) {
    const name = moduleName(word);
    try {
      await linux.ask("rmmod", { name });
    } catch (error) {
      if (!(error instanceof ControlRefusal)) throw error;
      const { usedBy = [] } = ((await linux.ask("modules")) as LoadedModule[]).find((module) => module.name === name) ?? {};
      note(`rmmod: ERROR: Module ${name} ${reason(error.code, usedBy)}`);
      status = 1;
    }
  }
  return status;
};

function reason(code: string, usedBy: readonly string[]): string {
  if (code === "ENOENT") return "is not currently loaded";
  if (usedBy.length > 0) return `is in use by: ${usedBy.join(" ")}`;
  if (code === "EBUSY" || code === "EAGAIN") return "is in use";
  return `could not be removed: ${errnoText(code) ?? code}`;
}
