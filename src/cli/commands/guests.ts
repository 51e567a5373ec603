import type { GuestListing } from "../../host/guest-registry.ts";
import { withHost } from "../../host/known-hosts.ts";
import { type Command, exitStatus, printResult } from "../command.ts";
import { table } from "../table.ts";

export const guests: Command = {
  name: "guests",
  summary: "list the guests of a host: their mediated devices, queues and monitors",
  arguments: [{ name: "HOST", description: "the name of a running host" }],
  options: [],
  async run(invocation) {
    const [name = ""] = invocation.arguments;
    const listed = (await withHost(name, (client) => client.request({ do: "guests" }))) as GuestListing[];
    printResult(invocation, listed, () => {
      if (listed.length === 0) return [`${name} has no guest; adjunct exec ${name} -- qemu-system-s390x -name g1 ... starts one`];
      return [
        ...table(
          ["GUEST", "STATE", "SINCE", "MEDIATED DEVICE", "APQNS"],
          listed.map((guest) => [guest.name, guest.state, guest.bootedAt, guest.mdev ?? "-", guest.apqns.join(" ") || "-"]),
        ),
        ...listed.flatMap(({ name: guest, monitors }) => (monitors.length === 0 ? [] : [`${guest}: ${monitors.join(" ")}`])),
      ];
    });
    return exitStatus.done;
  },
};
