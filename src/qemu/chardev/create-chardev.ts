import { QemuError } from "../qemu-error.ts";
import type { Chardev, ChardevRecord, ChardevSurroundings } from "./chardev.ts";
import { openFileChardev, openPipeChardev } from "./file-chardevs.ts";
import { NullChardev } from "./null-chardev.ts";
import { openPtyChardev } from "./pty-chardev.ts";
import { openRingbufChardev } from "./ringbuf-chardev.ts";
import { openSocketClient } from "./socket-client-chardev.ts";
import { openSocketServer } from "./socket-server-chardev.ts";
import { openStdioChardev } from "./stdio-chardev.ts";

/** Opens what a record describes. QemuError in QEMU's words; a caller puts what was asked for in front. */
export async function createChardev(record: ChardevRecord, surroundings: ChardevSurroundings = ownProcess): Promise<Chardev> {
  const open = backends[record.backend];
  if (!open) throw new QemuError(`'${record.backend}' is not a valid char driver name`);
  checkSwitches(record);
  return open(record, surroundings);
}

export const chardevBackendNames = (): string[] => Object.keys(backends);

const backends: Readonly<Record<string, (record: ChardevRecord, surroundings: ChardevSurroundings) => Chardev | Promise<Chardev>>> = {
  socket: (record, surroundings) => {
    checkSocketOptions(record);
    return record.options.get("server") === "on" ? openSocketServer(record, surroundings) : openSocketClient(record, surroundings);
  },
  stdio: openStdioChardev,
  null: ({ id }) => new NullChardev(id),
  file: openFileChardev,
  pipe: openPipeChardev,
  pty: openPtyChardev,
  ringbuf: openRingbufChardev,
};

const switches = [
  "server",
  "wait",
  "abstract",
  "tight",
  "append",
  "signal",
  "mux",
  "telnet",
  "websocket",
  "delay",
  "nodelay",
  "ipv4",
  "ipv6",
];

function checkSwitches({ options }: ChardevRecord): void {
  for (const name of switches) {
    const value = options.get(name);
    if (value !== undefined && value !== "on" && value !== "off") throw new QemuError(`Parameter '${name}' expects 'on' or 'off'`);
  }
}

function checkSocketOptions({ options }: ChardevRecord): void {
  const isServer = options.get("server") === "on";
  if (!isServer && options.has("wait")) throw new QemuError("'wait' option is incompatible with socket in client connect mode");
  for (const name of ["reconnect", "reconnect-ms"]) {
    if (isServer && options.has(name)) throw new QemuError(`'${name}' option is incompatible with socket in server listen mode`);
  }
}

const ownProcess: ChardevSurroundings = {
  get stdin() {
    return process.stdin;
  },
  get stdout() {
    return process.stdout;
  },
  after: (ms, act) => {
    const timer = setTimeout(act, ms);
    return () => clearTimeout(timer);
  },
  report: (line) => process.stderr.write(`qemu-system-s390x: ${line}\n`),
};
