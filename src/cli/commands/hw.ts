import { withHost } from "../../host/known-hosts.ts";
import { type Command, exitStatus, listOption, printResult, textOption } from "../command.ts";
import { changedPart, hardwareLines } from "../hardware-text.ts";
import { hwRequest } from "../hw-action.ts";
import { masterKeyLines } from "../master-key-text.ts";

export const hw: Command = {
  name: "hw",
  summary: "what only the HMC can do: adapters, domains, configured, checkstop; and master keys",
  arguments: [
    { name: "HOST", description: "the name of a running host" },
    {
      name: "ACTION",
      description:
        "card add|remove|configure|deconfigure N, card checkstop N on|off, usage-domain|control-domain add|remove N, show; " +
        "key show|load-test [N [DOMAIN]], key load|set|clear|commit N DOMAIN aes|apka|asym|ep11, key zeroize N DOMAIN",
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
    { flags: "--part <hex...>", description: "key load: a part of the key, XORed with the others; without one the test key" },
    { flags: "--more", description: "key load: another key load brings further parts" },
    { flags: "--set", description: "key load: make the new key the current one at once" },
  ],
  examples: [
    "adjunct hw lpar1 card add 7 --type CEX7C",
    "adjunct hw lpar1 card checkstop 5 on",
    "adjunct hw lpar1 usage-domain add 0x47",
    "adjunct hw lpar1 show",
    "adjunct hw lpar1 key load-test",
    "adjunct hw lpar1 key load 5 0x47 aes --part $(openssl rand -hex 32) --part $(openssl rand -hex 32)",
    "adjunct hw lpar1 key set 5 0x47 aes",
  ],
  async run(invocation) {
    const [name = "", ...words] = invocation.arguments;
    const option = (key: string): string | undefined => textOption(invocation, key);
    const key = {
      parts: listOption(invocation, "part"),
      hasMore: invocation.options.more === true,
      isSet: invocation.options.set === true,
    };
    const card = {
      type: option("type"),
      functions: option("functions"),
      class: option("class"),
      filtering: option("filtering"),
      depth: option("depth"),
      messageLimit: option("messageLimit"),
      maxDomain: option("maxDomain"),
    };
    const request = hwRequest(words, card, key);
    await withHost(name, async (client) => {
      const result = await client.request(request);
      if (request.do === "key") printResult(invocation, result, () => masterKeyLines(result));
      else if (request.action === "show") printResult(invocation, result, () => hardwareLines(result));
      else if (invocation.wantsJson) {
        const hardware = await client.request({ do: "hw", action: "show" });
        invocation.output.print(JSON.stringify(changedPart(hardware, request)));
      }
    });
    return exitStatus.done;
  },
};
