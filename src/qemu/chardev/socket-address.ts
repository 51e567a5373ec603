import { lookup } from "node:dns/promises";
import { fstatSync } from "node:fs";
import { QemuError } from "../qemu-error.ts";
import type { ChardevRecord } from "./chardev.ts";

/** Where a socket is, or which descriptor it has already. */
export type SocketAddress =
  | { readonly type: "unix"; readonly path: string; readonly isAbstract: boolean; readonly isTight: boolean }
  | { readonly type: "inet"; readonly host: string; readonly port: string }
  | { readonly type: "fd"; readonly fd: number };

/** sun_path of Linux with the zero at its end. */
const UNIX_PATH_BYTES = 108;

/** QemuError. */
export function socketAddressOf({ options }: ChardevRecord): SocketAddress {
  const [path, host, fd] = ["path", "host", "fd"].map((name) => options.get(name));
  if ([path, host, fd].filter((option) => option !== undefined).length > 1) {
    throw new QemuError("None or one of 'path', 'fd' or 'host' option required.");
  }
  if (path !== undefined) return unixAddress(path, options.get("abstract") === "on", options.get("tight") !== "off");
  if (host !== undefined) {
    const port = options.get("port");
    if (port === undefined) throw new QemuError("chardev: socket: no port given");
    return { type: "inet", host, port };
  }
  return { type: "fd", fd: descriptor(fd ?? "") };
}

/** As query-chardev has it: `unix:/path`, `tcp:host:port`, `fd:5`. */
export function socketAddressText(address: SocketAddress): string {
  if (address.type === "fd") return `fd:${address.fd}`;
  if (address.type === "inet") return `tcp:${hostText(address.host)}:${address.port}`;
  return `unix:${address.path}${address.isAbstract ? `,abstract=on${address.isTight ? ",tight=on" : ""}` : ""}`;
}

/** For Node's net. A loose abstract name is padded with zeros. QemuError. */
export async function connectionOptions(
  address: SocketAddress,
): Promise<{ path: string } | { host: string; port: number } | { fd: number }> {
  if (address.type === "fd") return { fd: address.fd };
  if (address.type === "inet") return { host: await resolved(address), port: Number(address.port) };
  if (!address.isAbstract) return { path: address.path };
  return { path: `\0${address.isTight ? address.path : address.path.padEnd(UNIX_PATH_BYTES - 1, "\0")}` };
}

function unixAddress(path: string, isAbstract: boolean, isTight: boolean): SocketAddress {
  if (Buffer.byteLength(path) >= UNIX_PATH_BYTES) {
    throw new QemuError(`UNIX socket path '${path}' is too long`, "GenericError", `Path must be less than ${UNIX_PATH_BYTES} bytes`);
  }
  return { type: "unix", path, isAbstract, isTight };
}

function descriptor(text: string): number {
  if (!/^\d+$/.test(text)) throw new QemuError(`Unable to parse FD number ${text}`);
  const fd = Number(text);
  let isSocket = false;
  try {
    isSocket = fstatSync(fd).isSocket();
  } catch {}
  if (!isSocket) throw new QemuError(`File descriptor '${fd}' is not a socket`);
  return fd;
}

async function resolved({ host, port }: { host: string; port: string }): Promise<string> {
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65535) {
    throw new QemuError(`address resolution failed for ${host}:${port}: Servname not supported for ai_socktype`);
  }
  if (host === "") return "::";
  try {
    return (await lookup(host)).address;
  } catch {
    throw new QemuError(`address resolution failed for ${host}:${port}: Name or service not known`);
  }
}

const hostText = (host: string): string => (host.includes(":") ? `[${host}]` : host);
