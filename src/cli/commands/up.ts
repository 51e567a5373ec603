import { readConfigurationFile } from "../../host/configuration-file.ts";
import type { Command, Invocation } from "../command.ts";
import { exitStatus, printResult } from "../command.ts";
import { hostSummary, nextSteps } from "../host-summary.ts";
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
    if (invocation.options.detach === true) {
      const description = await startDetached(configuration.name, file, isMounted);
      printResult(invocation, description, () => [hostSummary(description), ...nextSteps(description)]);
      return exitStatus.done;
    }
    const isElsewhere = isMounted ? enterUserNamespaceIfNeeded() : undefined;
    return isElsewhere ?? runInForeground(invocation, configuration, isMounted);
  },
};

async function runInForeground(
  invocation: Invocation,
  configuration: ReturnType<typeof readConfigurationFile>,
  isMounted: boolean,
): Promise<number> {
  const { runHost } = await import("../../host/run-host.ts");
  const host = await runHost(configuration, {
    isMounted,
    onFault: (error) => invocation.output.note(`adjunct: a bug failed one operation: ${error.stack ?? error.message}`),
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => void host.stop());
  for (const problem of host.problems) invocation.output.note(`adjunct: ${problem}`);
  printResult(invocation, host.description, () => [hostSummary(host.description), ...nextSteps(host.description)]);
  process.send?.({ ready: host.description });
  if (process.connected) process.disconnect();
  const reason = await host.stopped;
  if (reason !== undefined) invocation.output.note(`adjunct: ${reason}`);
  return reason === undefined ? exitStatus.done : exitStatus.refused;
}
