import { spawn } from "node:child_process";
import { Refusal } from "../host/control-protocol.ts";
import type { HostDescription } from "../host/host-folder.ts";
import { enterNamespaceCommand } from "../host/host-namespace.ts";
import { withHost } from "../host/known-hosts.ts";
import { hostPlaces, places } from "../host/places.ts";
import { passedOn } from "./passed-on.ts";

/** Runs a program in the host's namespaces with our input, output and terminal; resolves with its exit status. */
export async function runInHost(name: string, words: readonly string[], network: "own" | "host"): Promise<number> {
  const description = (await withHost(name, (client) => client.request({ do: "host" }))) as HostDescription;
  const { namespacePid } = description;
  if (namespacePid === null)
    throw new Refusal(`host ${name} runs without a mount, so there is no /sys to give to a program; adjunct shell ${name} has a prompt`);
  const [program = "", ...before] = enterNamespaceCommand({
    pid: namespacePid,
    network,
    hasUserNamespace: description.hasUserNamespace,
    workingDirectory: process.cwd(),
  });
  const child = spawn(program, [...before, ...words], { stdio: "inherit", env: environmentIn(name) });
  return passedOn(child);
}

function environmentIn(name: string): NodeJS.ProcessEnv {
  const { runFolder, stateFolder } = places();
  return {
    ...process.env,
    PATH: `${hostPlaces(name).programs}:${process.env.PATH ?? "/usr/sbin:/usr/bin:/sbin:/bin"}`,
    // libudev takes only a real sysfs otherwise.
    SYSTEMD_DEVICE_VERIFY_SYSFS: "0",
    ADJUNCT_HOST: name,
    ADJUNCT_RUN_DIR: runFolder,
    ADJUNCT_STATE_DIR: stateFolder,
  };
}
