import { parseArgs } from "node:util";
import { streamKernelLog } from "../kernel-log-stream.ts";
import { type LogStyle, logText, parseLevels } from "../kernel-log-text.ts";
import type { HostProgram } from "./host-program.ts";

/** dmesg of util-linux on the host's kernel log: -w, -T, -l, -t, -r. */
export const dmesg: HostProgram = async (words, linux, { print, note }) => {
  const options = parseOptions(words);
  if (typeof options === "string") {
    note(`dmesg: ${options}\nTry 'dmesg --help' for more information.`);
    return 1;
  }
  const levels = options.level === undefined ? undefined : parseLevels(options.level);
  if (options.level !== undefined && !levels) {
    note(`dmesg: unknown level '${options.level}'`);
    return 1;
  }
  const { bootedAt } = await linux.describe();
  const style: LogStyle = { time: timeStyle(options), levels, startedAtMs: Date.parse(bootedAt) };
  await streamKernelLog(linux, { follow: options.follow === true }, (line) => {
    const text = logText(line, style);
    if (text !== undefined) print(text);
  });
  return 0;
};

function parseOptions(words: readonly string[]) {
  try {
    return parseArgs({
      args: [...words],
      options: {
        follow: { type: "boolean", short: "w" },
        ctime: { type: "boolean", short: "T" },
        level: { type: "string", short: "l" },
        notime: { type: "boolean", short: "t" },
        raw: { type: "boolean", short: "r" },
        // Accepted, since scripts pass them: there are only kernel messages, and no colours or pager.
        kernel: { type: "boolean", short: "k" },
        nopager: { type: "boolean", short: "P" },
        color: { type: "string", short: "L" },
      },
    }).values;
  } catch (error) {
    return (error as Error).message.split("\n")[0] ?? "wrong usage";
  }
}

function timeStyle(options: { readonly ctime?: boolean; readonly notime?: boolean; readonly raw?: boolean }): LogStyle["time"] {
  if (options.notime) return "none";
  if (options.raw) return "raw";
  return options.ctime ? "calendar" : "since-start";
}
