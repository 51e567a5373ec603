import { connectControl } from "../../host/control-client.ts";
import { LinuxClient } from "../linux-client.ts";
import { dmesg } from "./dmesg.ts";
import type { HostProgram } from "./host-program.ts";
import { lsmod } from "./lsmod.ts";
import { modprobe } from "./modprobe.ts";
import { rmmod } from "./rmmod.ts";

/**
 * modprobe, rmmod, lsmod, dmesg and qemu-system-s390x inside a host or a guest of it: `main.js NAME SOCKET GUEST ARGUMENT…`, with an empty
 * GUEST for the host itself. Loads nothing but what these need, since a shell
 * script may start many of them.
 */
const programs: Readonly<Record<string, HostProgram>> = { modprobe, rmmod, lsmod, dmesg };
const [name = "", socket = "", guest = "", ...words] = process.argv.slice(2);

process.stdout.on("error", () => process.exit(0));
try {
  if (name === "qemu-system-s390x") {
    const { qemuSystemS390x } = await import("./qemu-system-s390x.ts");
    // A guest has no machines of its own.
    process.exit(await qemuSystemS390x(words, guest === "" ? socket : ""));
  }
  const program = programs[name];
  if (!program) throw new Error("no such program");
  const client = await connectControl(socket);
  const linux = new LinuxClient(client, guest === "" ? undefined : guest);
  process.exitCode = await program(words, linux, {
    print: (text) => process.stdout.write(`${text}\n`),
    note: (text) => process.stderr.write(`${text}\n`),
  });
  client.close();
} catch (error) {
  process.stderr.write(`${name}: the host does not answer: ${(error as Error).message}\n`);
  process.exitCode = 1;
}
