import { Refusal } from "../../host/control-protocol.ts";
import { withHost } from "../../host/known-hosts.ts";
import { guestPlaces, hostPlaces } from "../../host/places.ts";
import { type Command, exitStatus, programJsonMeaning } from "../command.ts";
import { escapeKeyName, GuestConsole } from "../guest-console.ts";
import { LinuxClient } from "../linux-client.ts";

export const console: Command = {
  name: "console",
  summary: `the console of a real guest; ${escapeKeyName} leaves it`,
  arguments: [
    { name: "HOST", description: "the name of a running host" },
    { name: "GUEST", description: "the name of a guest that boots a kernel or a disk" },
  ],
  options: [],
  jsonMeaning: programJsonMeaning,
  examples: ["adjunct console lpar1 guest1", "echo 'lszcrypt -V' | adjunct console lpar1 guest1"],
  async run({ arguments: [host = "", guest = ""], output }) {
    await withHost(host, async (client) => {
      // Refuses a guest that there is not.
      await new LinuxClient(client, guest).describe();
      client.close();
    });
    const { consoleSocket, consoleLog } = guestPlaces(hostPlaces(host), guest);
    const opened = await GuestConsole.open(consoleSocket, consoleLog);
    if (!opened) throw new Refusal(`guest ${guest} has no console: only one of the configuration with linux, kernel or disk has`);
    if (process.stdin.isTTY) output.note(`console of ${guest}; ${escapeKeyName} leaves it`);
    await opened.talk(process.stdin, process.stdout);
    return exitStatus.done;
  },
};
