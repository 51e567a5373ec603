import { runningHosts } from "../../host/known-hosts.ts";
import { hostPlaces } from "../../host/places.ts";
import { type Command, exitStatus, printResult } from "../command.ts";
import { table } from "../table.ts";

export const hosts: Command = {
  name: "hosts",
  summary: "list the hosts that run",
  arguments: [],
  options: [],
  async run(invocation) {
    const running = runningHosts();
    printResult(invocation, running, () => {
      if (running.length === 0) return ["no host is running; adjunct up FILE starts one"];
      return table(
        ["NAME", "KERNEL", "PROCESS", "SINCE", "MOUNT"],
        running.map(({ name, kernel, pid, bootedAt, mount }) => [
          name,
          kernel,
          String(pid),
          bootedAt,
          mount === null ? "none" : hostPlaces(name).sys,
        ]),
      );
    });
    return exitStatus.done;
  },
};
