import { ControlRefusal } from "../../host/control-client.ts";
import { type HostProgram, moduleName } from "./host-program.ts";

/** Texts as kmod's modprobe.c prints them. Knows -r, -a and -q; other options and module parameters change nothing here. */
export const modprobe: HostProgram = async (words, linux, { note }) => {
  const options = words.filter((word) => word.startsWith("-"));
  const has = (short: string, long: string): boolean =>
    options.some((option) => option === long || (/^-[a-z]+$/i.test(option) && option.includes(short)));
  const isRemoving = has("r", "--remove");
  const isQuiet = has("q", "--quiet");
  const names = words.filter((word) => !word.startsWith("-")).map(moduleName);
  if (names.length === 0) {
    note("modprobe: ERROR: missing parameters. See -h.");
    return 1;
  }
  const { release } = await linux.describe();
  let status = 0;
  for (const name of isRemoving || has("a", "--all") ? names : names.slice(0, 1)) {
    try {
      await linux.ask(isRemoving ? "rmmod" : "modprobe", { name });
    } catch (error) {
      if (!(error instanceof ControlRefusal)) throw error;
      if (!isQuiet) note(`modprobe: ${isRemoving ? removeText(error, name) : insertText(error, name, release)}`);
      status = 1;
    }
  }
  return status;
};

function insertText({ code }: ControlRefusal, name: string, release: string): string {
  if (code === "ENOENT") return `FATAL: Module ${name} not found in directory /lib/modules/${release}`;
  return `ERROR: could not insert '${name}': ${code === "ENODEV" ? "No such device" : code}`;
}

function removeText({ code }: ControlRefusal, name: string): string {
  if (code === "ENOENT") return `FATAL: Module ${name} not found.`;
  return `FATAL: Module ${name} is in use.`;
}
