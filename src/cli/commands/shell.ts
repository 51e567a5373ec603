import { connectHost } from "../../host/known-hosts.ts";
import { type Command, textOption } from "../command.ts";
import { runInHost } from "../run-in-host.ts";
import { runPrompt } from "../prompt.ts";
import { networkOption } from "./exec.ts";

export const shell: Command = {
  name: "shell",
  summary: "a shell where the host's tree is /sys; without a mount, a small prompt",
  arguments: [{ name: "HOST", description: "the name of a running host" }],
  options: [{ flags: "--net <network>", description: "`host`: stay on the machine's network" }],
  examples: ["adjunct shell lpar1"],
  async run(invocation) {
    const [name = ""] = invocation.arguments;
    const client = await connectHost(name);
    const { isMounted } = (await client.request({ do: "host" })) as { isMounted: boolean };
    if (!isMounted) return runPrompt(name, client, invocation.output);
    client.close();
    return runInHost(name, [process.env.SHELL ?? "/bin/sh"], networkOption(textOption(invocation, "net")));
  },
};
