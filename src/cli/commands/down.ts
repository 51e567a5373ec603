import { spawnSync } from "node:child_process";
import { Refusal } from "../../host/control-protocol.ts";
import { withHost } from "../../host/known-hosts.ts";
import { hostPlaces } from "../../host/places.ts";
import { type Command, exitStatus, printResult } from "../command.ts";

/** How long a host may take to unmount and end. */
const endSeconds = 20;

export const down: Command = {
  name: "down",
  summary: "end a host; what stays is its state folder, and its NAME.lock, for two hosts could lock two files of one name otherwise",
  arguments: [{ name: "HOST", description: "the name of a running host" }],
  options: [],
  async run(invocation) {
    const [name = ""] = invocation.arguments;
    await withHost(name, async (client) => {
      await client.request({ do: "stop" });
      await client.closed;
    });
    const { lock, output } = hostPlaces(name);
    // The process holds its lock to the very end.
    const { status } = spawnSync("flock", ["--exclusive", "--timeout", String(endSeconds), lock, "rm", "-f", output], { stdio: "ignore" });
    if (status !== 0) throw new Refusal(`host ${name} was told to end and has not after ${endSeconds} s`);
    printResult(invocation, { name, isRunning: false }, () => [`${name} is down`]);
    return exitStatus.done;
  },
};
