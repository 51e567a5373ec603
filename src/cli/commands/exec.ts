import { type Command, guestOption, programJsonMeaning, textOption, UsageError } from "../command.ts";
import { runInHost } from "../run-in-host.ts";

export const exec: Command = {
  name: "exec",
  summary: "run a program where the host's tree, or a guest's, is /sys",
  arguments: [
    { name: "HOST", description: "the name of a running host" },
    { name: "CMD", description: "the program and its arguments, after --", isList: true },
  ],
  options: [
    guestOption,
    { flags: "--net <network>", description: "`host`: stay on the machine's network; without it the program is on the host's own" },
  ],
  jsonMeaning: programJsonMeaning,
  examples: [
    "adjunct exec lpar1 -- cat /sys/bus/ap/apmask",
    "adjunct exec lpar1 --guest guest1 -- lszcrypt -V",
    "adjunct exec lpar1 --net host -- mdevctl list",
  ],
  async run(invocation) {
    const [name = "", ...words] = invocation.arguments;
    const network = networkOption(textOption(invocation, "net"));
    return runInHost(words, { host: name, guest: textOption(invocation, "guest"), network });
  },
};

export function networkOption(text: string | undefined): "own" | "host" {
  if (text === undefined || text === "own") return "own";
  if (text === "host") return "host";
  throw new UsageError(`--net is host or own, not ${text}`);
}
