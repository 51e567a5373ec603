import { spawn } from "node:child_process";
import type { ControlClient } from "../host/control-client.ts";
import { Refusal } from "../host/control-protocol.ts";
import { enterNamespaceCommand } from "../host/host-namespace.ts";
import { withHost } from "../host/known-hosts.ts";
import { programEnvironment } from "../host/program-environment.ts";
import { LinuxClient } from "./linux-client.ts";
import { passedOn } from "./passed-on.ts";
import { runInRealGuest } from "./run-in-real-guest.ts";

export interface RunInHostOptions {
  readonly host: string;
  /** Undefined: on the host itself. */
  readonly guest: string | undefined;
  readonly network: "own" | "host";
}

/**
 * Runs a program in the namespaces of a host or of one of its model guests, with our input, output and terminal, or in a real guest by its
 * agent; resolves with its exit status. A program in a guest is killed when the guest ends.
 */
export async function runInHost(words: readonly string[], { host, guest, network }: RunInHostOptions): Promise<number> {
  return withHost(host, async (client) => {
    const { namespacePid, hasUserNamespace, programs, agentSocket } = await new LinuxClient(client, guest).describeToEnter();
    if (agentSocket !== undefined) {
      client.close();
      return runInRealGuest(words, agentSocket);
    }
    if (namespacePid === null)
      throw new Refusal(`host ${host} runs without a mount, so there is no /sys to give to a program; adjunct shell ${host} has a prompt`);
    const [program = "", ...before] = enterNamespaceCommand({
      pid: namespacePid,
      network,
      hasUserNamespace,
      workingDirectory: process.cwd(),
    });
    const child = spawn(program, [...before, ...words], { stdio: "inherit", env: programEnvironment({ host, guest, programs }) });
    if (guest === undefined) client.close();
    else await killWithGuest(client, guest, () => child.kill("SIGKILL"));
    return passedOn(child);
  });
}

async function killWithGuest(client: ControlClient, guest: string, kill: () => void): Promise<void> {
  await client.follow((event) => event.guest === guest && event.event === "destroyed" && kill(), ["guest"]);
}
