import { spawn, spawnSync } from "node:child_process";
import { checkFuseOfMachine } from "../fuse/check-fuse.ts";
import { Refusal } from "../host/control-protocol.ts";
import { launcher } from "../host/package-root.ts";
import { places } from "../host/places.ts";
import { passedOn } from "./passed-on.ts";

/**
 * Mounting takes a root. Who is none becomes the root of a user namespace: the same command line starts once more in one, as its first
 * program, and this process waits for it. Undefined where no namespace is needed.
 */
export function enterUserNamespaceIfNeeded(): Promise<number> | undefined {
  if (process.env.ADJUNCT_USER_NAMESPACE === "1") return undefined;
  // Before the namespace, where everybody's name would be root.
  const reason = checkFuseOfMachine();
  if (reason !== undefined) throw unmountable(reason);
  if (canMount([])) return undefined;
  if (!canMount(userNamespace)) throw unmountable("this is not root, and user namespaces are not allowed (adjunct doctor says more)");
  const { runFolder, stateFolder } = places();
  const environment = { ...process.env, ADJUNCT_USER_NAMESPACE: "1", ADJUNCT_RUN_DIR: runFolder, ADJUNCT_STATE_DIR: stateFolder };
  const stdio = process.send ? (["inherit", "inherit", "inherit", "ipc"] as const) : (["inherit", "inherit", "inherit"] as const);
  const words = [...userNamespace, "--mount", process.execPath, launcher, ...process.argv.slice(2)];
  const child = spawn("unshare", words, { stdio: [...stdio], env: environment });
  child.on("message", (message) => {
    process.send?.(message);
    process.disconnect?.();
  });
  return passedOn(child);
}

const unmountable = (reason: string): Refusal =>
  new Refusal(`nothing can be mounted here: ${reason}; adjunct up FILE --no-mount serves the tree without a mount`);

const userNamespace = ["--user", "--map-root-user"];

function canMount(words: readonly string[]): boolean {
  return spawnSync("unshare", [...words, "--mount", "true"], { stdio: "ignore" }).status === 0;
}
