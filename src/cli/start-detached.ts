import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { Refusal } from "../host/control-protocol.ts";
import type { HostDescription } from "../host/host-folder.ts";
import { makeFolders } from "../host/make-folders.ts";
import { launcher } from "../host/package-root.ts";
import { hostPlaces, makePrivateFolder, places } from "../host/places.ts";

/** What a host's process tells its parent when it is ready. */
export interface ReadyHost {
  readonly description: HostDescription;
  /** What this machine could not give. */
  readonly problems: readonly string[];
}

/** Starts a host in a process of its own and waits until it is ready; what it prints goes to a file in the run folder. */
export async function startDetached(name: string, file: string, isMounted: boolean): Promise<ReadyHost> {
  makeFolders(places().runFolder);
  makePrivateFolder(places().runFolder);
  const { output } = hostPlaces(name);
  const descriptor = openSync(output, "a", 0o600);
  const words = [launcher, "up", file, ...(isMounted ? [] : ["--no-mount"])];
  const from = readFileSync(output).length;
  const child = spawn(process.execPath, words, { detached: true, stdio: ["ignore", descriptor, descriptor, "ipc"] });
  closeSync(descriptor);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("message", (message) => {
      child.unref();
      resolve(message as ReadyHost);
    });
    child.once("exit", () => {
      const said = readFileSync(output).subarray(from).toString().trim();
      reject(new Refusal(said.replaceAll(/^adjunct: /gm, "") || `the host did not start; its output is in ${output}`));
    });
  });
}
