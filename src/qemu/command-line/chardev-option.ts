import type { ChardevRecord } from "../chardev/chardev.ts";
import { checkId } from "../devices/device-checks.ts";
import { QemuError } from "../qemu-error.ts";
import { keyValues } from "./key-values.ts";

/** Back ends of QEMU, whether or not there is one here. */
export const chardevBackends: readonly string[] = [
  ..."null socket udp msmouse vc ringbuf memory file pipe pty stdio serial tty parallel parport braille testdev wctablet hub".split(" "),
];

const chardevOptions = new Set(
  (
    "backend id path input-path host port fd to ipv4 ipv6 localaddr localport reconnect reconnect-ms telnet tn3270 tls-creds tls-authz " +
    "websocket server wait delay nodelay width height cols rows mux signal name debug size chardev append logfile logappend mouse " +
    "clipboard abstract tight input encoding"
  ).split(" "),
);

/** What a back end's name was, and is. */
const backendAliases: Readonly<Record<string, string>> = { memory: "ringbuf", tty: "serial", parport: "parallel" };

/** Reads -chardev. QemuError. */
export function chardevOption(values: ReadonlyMap<string, string>): ChardevRecord {
  const id = values.get("id");
  checkId(id);
  for (const key of values.keys()) if (!chardevOptions.has(key)) throw new QemuError(`Invalid parameter '${key}'`);
  const backend = values.get("backend");
  if (backend === undefined) throw new QemuError("chardev: no backend specified");
  if (id === undefined) throw new QemuError("chardev: no id specified");
  if (!chardevBackends.includes(backend)) throw new QemuError(`'${backend}' is not a valid char driver name`);
  return { id, backend: backendAliases[backend] ?? backend, options: without(values, "id", "backend") };
}

/** Reads what -qmp, -monitor and -serial take besides `none` and `chardev:ID`. Undefined where QEMU finds no word for what is wrong. QemuError. */
export function compatChardev(id: string, text: string): ChardevRecord | undefined {
  if (simple.has(text)) return { id, backend: text, options: new Map() };
  if (text === "mon:stdio") return { id, backend: "stdio", options: new Map([["mux", "on"]]) };
  const colon = text.indexOf(":");
  const [kind, rest] = colon < 0 ? [text, ""] : [text.slice(0, colon), text.slice(colon + 1)];
  switch (kind) {
    case "mon": {
      const record = compatChardev(id, rest);
      return record && withOption(record, "mux", "on");
    }
    case "vc":
      return { id, backend: "vc", options: new Map() };
    case "file":
      return { id, backend: "file", options: new Map([["path", rest]]) };
    case "pipe":
      return { id, backend: "pipe", options: new Map([["path", rest]]) };
    case "unix":
      return { id, backend: "socket", options: known(keyValues(rest, "path").values) };
    case "tcp":
    case "telnet":
    case "tn3270":
    case "websocket":
      return inetSocket(id, kind, rest);
    case "udp":
      return { id, backend: "udp", options: new Map([["path", rest]]) };
  }
  if (text.startsWith("/dev/")) return { id, backend: "serial", options: new Map([["path", text]]) };
  throw new QemuError(`'${text}' is not a valid char driver`);
}

const simple = new Set(["null", "pty", "stdio", "msmouse", "wctablet", "braille", "testdev", "vc"]);

function inetSocket(id: string, kind: string, rest: string): ChardevRecord | undefined {
  const options = hostAndPort(rest);
  if (!options) return undefined;
  const record = { id, backend: "socket", options };
  return kind === "tcp" ? record : withOption(record, kind, "on");
}

/** `host:port`, then options. */
function hostAndPort(text: string): Map<string, string> | undefined {
  const match = /^(\[[^\]]*\]|[^:,]*):([^,]+)(?:,(.*))?$/.exec(text);
  if (!match) return undefined;
  const [, host = "", port = "", rest = ""] = match;
  return new Map([["host", host.replace(/^\[|\]$/g, "")], ["port", port], ...known(keyValues(rest).values)]);
}

function known(values: ReadonlyMap<string, string>): Map<string, string> {
  for (const key of values.keys()) if (!chardevOptions.has(key)) throw new QemuError(`Invalid parameter '${key}'`);
  return new Map(values);
}

const withOption = (record: ChardevRecord, key: string, value: string): ChardevRecord => ({
  ...record,
  options: new Map([...record.options, [key, value]]),
});

const without = (values: ReadonlyMap<string, string>, ...keys: readonly string[]): Map<string, string> =>
  new Map([...values].filter(([key]) => !keys.includes(key)));
