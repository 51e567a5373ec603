import { withHost } from "../../host/known-hosts.ts";
import { type Command, textOption } from "../command.ts";
import { runPrompt } from "../prompt.ts";
import { runInHost } from "../run-in-host.ts";
import { networkOption } from "./exec.ts";

export const shell: Command = {
  name: "shell",
  summary: "a shell where the host's tree is /sys; without a mount, a small prompt",
  arguments: [{ name: "HOST", description: "the name of a running host" }],
  options: [{ flags: "--net <network>", description: "`host`: stay on the machine's network" }],
  examples: ["adjunct shell lpar1"],
  async run(invocation) {
    const [name = ""] = invocation.arguments;
    const promptStatus = await withHost(name, async (client) => {
      const { isMounted } = (await client.request({ do: "host" })) as { isMounted: boolean };
      return isMounted ? undefined : runPrompt(name, client, invocation.output);
    });
    if (promptStatus !== undefined) return promptStatus;
    return runInHost(name, [process.env.SHELL ?? "/bin/sh"], networkOption(textOption(invocation, "net")));
  },
};
