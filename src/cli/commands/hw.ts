import { withHost } from "../../host/known-hosts.ts";
import { type Command, exitStatus, printResult, textOption } from "../command.ts";
import { changedPart, hardwareLines } from "../hardware-text.ts";
import { hwRequest } from "../hw-action.ts";

export const hw: Command = {
  name: "hw",
  summary: "what only the HMC can do: adapters, domains, configured, checkstop",
  arguments: [
    { name: "HOST", description: "the name of a running host" },
    {
      name: "ACTION",
      description: "card add|remove|configure|deconfigure N, card checkstop N on|off, usage-domain|control-domain add|remove N, show",
      isList: true,
    },
  ],
  options: [
    { flags: "--type <card>", description: "card add: such as CEX7C, CEX8A, CEX5P" },
    { flags: "--functions <word>", description: "card add: the functions word, such as 0x92800000" },
    { flags: "--class <class>", description: "card add: full, restricted or none" },
    { flags: "--filtering <on|off>", description: "card add: stateless command filtering" },
    { flags: "--depth <n>", description: "card add: messages a queue holds, 1 to 16" },
    { flags: "--message-limit <n>", description: "card add: greatest message in 4 KiB, 0 for 12 KiB" },
    { flags: "--max-domain <n>", description: "card add: its highest domain" },
  ],
  examples: [
    "adjunct hw lpar1 card add 7 --type CEX7C",
    "adjunct hw lpar1 card checkstop 5 on",
    "adjunct hw lpar1 usage-domain add 0x47",
    "adjunct hw lpar1 show",
  ],
  async run(invocation) {
    const [name = "", ...words] = invocation.arguments;
    const option = (key: string): string | undefined => textOption(invocation, key);
    const request = hwRequest(words, {
      type: option("type"),
      functions: option("functions"),
      class: option("class"),
      filtering: option("filtering"),
      depth: option("depth"),
      messageLimit: option("messageLimit"),
      maxDomain: option("maxDomain"),
    });
    await withHost(name, async (client) => {
      const result = await client.request(request);
      if (request.action === "show") printResult(invocation, result, () => hardwareLines(result));
      else if (invocation.wantsJson) {
        const hardware = await client.request({ do: "hw", action: "show" });
        invocation.output.print(JSON.stringify(changedPart(hardware, request)));
      }
    });
    return exitStatus.done;
  },
};
