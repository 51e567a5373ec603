import { ControlRefusal } from "../../host/control-client.ts";
import { errnoText } from "../../sysfs/errno-text.ts";
import type { LinuxClient } from "../linux-client.ts";
import { type HostProgram, moduleName } from "./host-program.ts";

/** Texts as kmod's modprobe.c prints them. Knows the options below; others and module parameters change nothing here. */
export const modprobe: HostProgram = async (words, linux, { note }) => {
  const options = words.filter((word) => word.startsWith("-"));
  const has = ({ short, long }: Option): boolean =>
    options.some((option) => long.includes(option) || (short !== undefined && /^-[a-z]+$/i.test(option) && option.includes(short)));
  const names = words.filter((word) => !word.startsWith("-")).map(moduleName);
  if (names.length === 0) {
    note("modprobe: ERROR: missing parameters. See -h.");
    return 1;
  }
  const request = { isDry: dryOptions.some(has), isFirstTime: has(firstTimeOption) };
  const { release } = await linux.describe();
  const act = has(removeOption) ? remove : insert;
  let status = 0;
  for (const name of has(removeOption) || has(allOption) ? names : names.slice(0, 1)) {
    const complaint = await act(linux, name, { ...request, release });
    if (complaint === undefined) continue;
    if (!has(quietOption)) note(`modprobe: ${complaint}`);
    status = 1;
  }
  return status;
};

interface Option {
  readonly short?: string;
  readonly long: readonly string[];
}

const removeOption: Option = { short: "r", long: ["--remove"] };
const allOption: Option = { short: "a", long: ["--all"] };
const quietOption: Option = { short: "q", long: ["--quiet"] };
const firstTimeOption: Option = { long: ["--first-time"] };
/** Whoever gives one of these wants to know, not to load. */
const dryOptions: readonly Option[] = [
  { short: "n", long: ["--dry-run", "--show"] },
  { short: "D", long: ["--show-depends"] },
  { short: "R", long: ["--resolve-alias"] },
];

interface Request {
  readonly isDry: boolean;
  /** What is done already is a mistake then. */
  readonly isFirstTime: boolean;
  readonly release: string;
}

/** Resolves with what there is to complain of. */
type Act = (linux: LinuxClient, name: string, request: Request) => Promise<string | undefined>;

const insert: Act = async (linux, name, { isDry, isFirstTime, release }) => {
  const state = await stateOf(linux, name);
  if (state === "unknown") return `FATAL: Module ${name} not found in directory /lib/modules/${release}`;
  if (state === "loaded") return isFirstTime ? `ERROR: could not insert '${name}': Module already in kernel` : undefined;
  const code = isDry ? undefined : await refusalOf(linux.ask("modprobe", { name }));
  return code && `ERROR: could not insert '${name}': ${errnoText(code) ?? code}`;
};

const remove: Act = async (linux, name, { isDry, isFirstTime }) => {
  const state = await stateOf(linux, name);
  if (state === "unknown") return `FATAL: Module ${name} not found.`;
  if (state === "not loaded") return isFirstTime ? `FATAL: Module ${name} is not in kernel.` : undefined;
  const code = isDry ? undefined : await refusalOf(linux.ask("rmmod", { name }));
  if (code === "EAGAIN" || code === "EBUSY") return `FATAL: Module ${name} is in use.`;
  return code && `ERROR: could not remove '${name}': ${errnoText(code) ?? code}`;
};

async function stateOf(linux: LinuxClient, name: string): Promise<"loaded" | "not loaded" | "unknown"> {
  try {
    return (await linux.ask("module", { name })) as "loaded" | "not loaded";
  } catch (error) {
    if (error instanceof ControlRefusal && error.code === "ENOENT") return "unknown";
    throw error;
  }
}

/** The code with which the host refuses; undefined if it does not. */
async function refusalOf(answer: Promise<unknown>): Promise<string | undefined> {
  try {
    await answer;
    return undefined;
  } catch (error) {
    if (!(error instanceof ControlRefusal)) throw error;
    return error.code;
  }
}
