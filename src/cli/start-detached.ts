import { spawn } from "node:child_process";
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { Refusal } from "../host/control-protocol.ts";
import type { HostDescription } from "../host/host-folder.ts";
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
  makePrivateFolder(places().runFolder);
  const { output } = hostPlaces(name);
  const descriptor = openSync(output, "a+", 0o600);
  const words = [launcher, "up", file, ...(isMounted ? [] : ["--no-mount"])];
  const from = fstatSync(descriptor).size;
  const child = spawn(process.execPath, words, { detached: true, stdio: ["ignore", descriptor, descriptor, "ipc"] });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("message", (message) => {
      child.off("exit", onExit);
      child.unref();
      closeSync(descriptor);
      resolve(message as ReadyHost);
    });
    const onExit = (): void => {
      // Not by its name: `down` of a host before may have removed it.
      const said = textFrom(descriptor, from).trim();
      closeSync(descriptor);
      reject(new Refusal(said.replaceAll(/^adjunct: /gm, "") || `the host did not start; its output is in ${output}`));
    };
    child.once("exit", onExit);
  });
}

function textFrom(descriptor: number, position: number): string {
  const bytes = Buffer.alloc(fstatSync(descriptor).size - position);
  return bytes.subarray(0, readSync(descriptor, bytes, 0, bytes.length, position)).toString();
}
