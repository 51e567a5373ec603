import type { HostConfiguration } from "../../host/configuration.ts";
import { readConfigurationFile } from "../../host/configuration-file.ts";
import { remarksOn } from "../../host/configuration-remarks.ts";
import { hostStatus, parseHostStatus } from "../../host/host-status.ts";
import { withHost } from "../../host/known-hosts.ts";
import { type Command, exitStatus, type Invocation, printResult } from "../command.ts";
import { hostSummary } from "../host-summary.ts";
import { startDetached } from "../start-detached.ts";
import { enterUserNamespaceIfNeeded } from "../user-namespace.ts";

export const up: Command = {
  name: "up",
  summary: "run the host that FILE describes",
  arguments: [{ name: "FILE", description: "the host as YAML, such as examples/three-guests.yaml" }],
  options: [
    { flags: "--detach", description: "return when the host is ready and leave it running" },
    { flags: "--no-mount", description: "serve the tree over the control socket only, without FUSE" },
  ],
  examples: ["adjunct up examples/three-guests.yaml", "adjunct up lpar1.yaml --detach"],
  async run(invocation) {
    const [file = ""] = invocation.arguments;
    const isMounted = invocation.options.mount !== false;
    // A mistake in the file is told before anything is started.
    const configuration = readConfigurationFile(file);
    if (invocation.options.detach === true) return runDetached(invocation, configuration, file, isMounted);
    const isElsewhere = isMounted ? enterUserNamespaceIfNeeded() : undefined;
    return isElsewhere ?? runInForeground(invocation, configuration, isMounted);
  },
};

async function runDetached(invocation: Invocation, configuration: HostConfiguration, file: string, isMounted: boolean): Promise<number> {
  const { description, problems } = await startDetached(configuration.name, file, isMounted);
  for (const remark of [...remarksOn(configuration), ...problems]) invocation.output.note(`adjunct: ${remark}`);
  const status = await withHost(configuration.name, hostStatus);
  printResult(invocation, description, () => hostSummary(description, status));
  return exitStatus.done;
}

async function runInForeground(invocation: Invocation, configuration: HostConfiguration, isMounted: boolean): Promise<number> {
  const { runHost } = await import("../../host/run-host.ts");
  const { output } = invocation;
  const host = await runHost(configuration, {
    isMounted,
    onProblem: (text) => output.note(`adjunct: ${text}`),
    onFault: (error) => output.note(`adjunct: a bug failed one operation: ${error.stack ?? error.message}`),
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => void host.stop());
  const { description, problems } = host;
  if (process.send) {
    process.send({ description, problems });
    process.disconnect();
  } else {
    for (const remark of [...remarksOn(configuration), ...problems]) output.note(`adjunct: ${remark}`);
    const status = parseHostStatus(await host.command({ do: "status" }));
    printResult(invocation, description, () => hostSummary(description, status));
  }
  const reason = await host.stopped;
  if (reason !== undefined) output.note(`adjunct: ${reason}`);
  return reason === undefined ? exitStatus.done : exitStatus.refused;
}
