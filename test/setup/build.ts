import { execFileSync } from "node:child_process";

/** Tests of mounts, of the command line and of the library run what is built: build it first. */
export default function build(): void {
  execFileSync(process.execPath, ["scripts/build.mjs"], { stdio: "inherit" });
}
