import { Refusal } from "../../host/control-protocol.ts";
import type { HostDescription } from "../../host/host-folder.ts";
import { withHost } from "../../host/known-hosts.ts";
import { hostPlaces } from "../../host/places.ts";
import { type Command, exitStatus, printResult } from "../command.ts";

export const root: Command = {
  name: "root",
  summary: "print a folder that stands in for /: it has the host's sys and etc/mdevctl.d",
  arguments: [{ name: "HOST", description: "the name of a running host" }],
  options: [],
  examples: ["MDEVCTL_ENV_ROOT=$(adjunct root lpar1) mdevctl list", "SYSFS_ROOT=$(adjunct root lpar1)/sys lszcrypt -V"],
  async run(invocation) {
    const [name = ""] = invocation.arguments;
    const { isMounted, hasUserNamespace } = (await withHost(name, (client) => client.request({ do: "host" }))) as HostDescription;
    if (!isMounted) throw new Refusal(`host ${name} runs without a mount: there is no folder with its tree`);
    if (hasUserNamespace && process.env.ADJUNCT_HOST !== name) {
      throw new Refusal(`host ${name} is mounted in a user namespace, so its tree is not to be seen here: adjunct exec ${name} -- CMD`);
    }
    const { root: folder } = hostPlaces(name);
    printResult(invocation, { name, root: folder }, () => [folder]);
    return exitStatus.done;
  },
};
