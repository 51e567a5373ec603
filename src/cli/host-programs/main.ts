import { connectControl } from "../../host/control-client.ts";
import { dmesg } from "./dmesg.ts";
import type { HostProgram } from "./host-program.ts";
import { lsmod } from "./lsmod.ts";
import { modprobe } from "./modprobe.ts";
import { rmmod } from "./rmmod.ts";

/**
 * modprobe, rmmod, lsmod and dmesg inside a host: `main.js NAME SOCKET ARGUMENT…`. Loads nothing but what these need, since a shell
 * script may start many of them.
 */
const programs: Readonly<Record<string, HostProgram>> = { modprobe, rmmod, lsmod, dmesg };
const [name = "", socket = "", ...words] = process.argv.slice(2);

process.stdout.on("error", () => process.exit(0));
try {
  const program = programs[name];
  if (!program) throw new Error("no such program");
  const client = await connectControl(socket);
  process.exitCode = await program(words, client, {
    print: (text) => process.stdout.write(`${text}\n`),
    note: (text) => process.stderr.write(`${text}\n`),
  });
  client.close();
} catch (error) {
  process.stderr.write(`${name}: the host does not answer: ${(error as Error).message}\n`);
  process.exitCode = 1;
}
