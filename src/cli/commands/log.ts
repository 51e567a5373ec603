import { existsSync, readFileSync } from "node:fs";
import { Refusal } from "../../host/control-protocol.ts";
import { withHost } from "../../host/known-hosts.ts";
import { guestPlaces, hostPlaces } from "../../host/places.ts";
import { type Command, exitStatus } from "../command.ts";

export const log: Command = {
  name: "log",
  summary: "print what a guest's emulator said, also of one that ended",
  arguments: [
    { name: "HOST", description: "the name of a host" },
    { name: "GUEST", description: "the name of a guest, as -name gave it" },
  ],
  options: [],
  async run({ arguments: [name = "", guest = ""], wantsJson, output }) {
    const path = guestPlaces(hostPlaces(name), guest).log;
    if (guest.includes("/") || !existsSync(path)) {
      // First of all there must be such a host.
      await withHost(name, async (client) => client.close());
      throw new Refusal(`host ${name} keeps no log of a guest ${guest}: adjunct guests ${name} lists those that run`);
    }
    const text = readFileSync(path, "utf8").trimEnd();
    output.print(wantsJson ? JSON.stringify(text.split("\n")) : text);
    return exitStatus.done;
  },
};
