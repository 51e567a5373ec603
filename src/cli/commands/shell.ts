import { Refusal } from "../../host/control-protocol.ts";
import { withHost } from "../../host/known-hosts.ts";
import { type Command, guestOption, programJsonMeaning, textOption } from "../command.ts";
import { LinuxClient } from "../linux-client.ts";
import { runPrompt } from "../prompt.ts";
import { runInHost } from "../run-in-host.ts";
import { networkOption } from "./exec.ts";

export const shell: Command = {
  name: "shell",
  summary: "a shell where the host's tree, or a guest's, is /sys; without a mount, a small prompt",
  arguments: [{ name: "HOST", description: "the name of a running host" }],
  options: [guestOption, { flags: "--net <network>", description: "`host`: stay on the machine's network" }],
  jsonMeaning: programJsonMeaning,
  examples: ["adjunct shell lpar1"],
  async run(invocation) {
    const [name = ""] = invocation.arguments;
    const guest = textOption(invocation, "guest");
    const promptStatus = await withHost(name, async (client) => {
      if (guest !== undefined) {
        const { agentSocket } = await new LinuxClient(client, guest).describe();
        if (agentSocket !== undefined) throw new Refusal(`guest ${guest} has its shell on its console: adjunct console ${name} ${guest}`);
      }
      const { isMounted } = (await client.request({ do: "host" })) as { isMounted: boolean };
      return isMounted ? undefined : runPrompt(guest ?? name, new LinuxClient(client, guest), invocation.output);
    });
    if (promptStatus !== undefined) return promptStatus;
    const network = networkOption(textOption(invocation, "net"));
    return runInHost([process.env.SHELL ?? "/bin/sh"], { host: name, guest, network });
  },
};
