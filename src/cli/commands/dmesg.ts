import { withHost } from "../../host/known-hosts.ts";
import { type Command, exitStatus, guestOption, printElement, textOption, UsageError } from "../command.ts";
import { streamKernelLog } from "../kernel-log-stream.ts";
import { levelNames, logText, parseLevels } from "../kernel-log-text.ts";
import { LinuxClient } from "../linux-client.ts";

export const dmesg: Command = {
  name: "dmesg",
  summary: "print the host's kernel log",
  arguments: [{ name: "HOST", description: "the name of a running host" }],
  options: [
    guestOption,
    { flags: "-w, --follow", description: "go on with what comes" },
    { flags: "-T, --ctime", description: "calendar times instead of seconds since the start" },
    { flags: "-l, --level <list>", description: `only these levels: ${levelNames.join(", ")}` },
  ],
  async run(invocation) {
    const [name = ""] = invocation.arguments;
    const levelText = textOption(invocation, "level");
    const levels = levelText === undefined ? undefined : parseLevels(levelText);
    if (levelText !== undefined && !levels) throw new UsageError(`${levelText} is no list of levels (${levelNames.join(", ")})`);
    await withHost(name, async (client) => {
      const linux = new LinuxClient(client, textOption(invocation, "guest"));
      const { bootedAt } = await linux.describe();
      const style = {
        time: invocation.options.ctime === true ? "calendar" : "since-start",
        levels,
        startedAtMs: Date.parse(bootedAt),
      } as const;
      await streamKernelLog(linux, { follow: invocation.options.follow === true }, (line) => {
        const text = logText(line, style);
        if (text !== undefined) printElement(invocation, { ...line, level: levelNames[line.level] ?? line.level }, () => text);
      });
    });
    return exitStatus.done;
  },
};
