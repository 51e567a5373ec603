import { withHost } from "../../host/known-hosts.ts";
import { type Command, exitStatus } from "../command.ts";

export const read: Command = {
  name: "read",
  summary: "print an attribute, also of a host without a mount",
  arguments: [
    { name: "HOST", description: "the name of a running host" },
    { name: "PATH", description: "such as /sys/bus/ap/apmask" },
  ],
  options: [],
  async run({ arguments: [name = "", path = ""], wantsJson, output }) {
    const text = String(await withHost(name, (client) => client.request({ do: "read", path })));
    output.print(wantsJson ? JSON.stringify({ path, text }) : text.replace(/\n$/, ""));
    return exitStatus.done;
  },
};
