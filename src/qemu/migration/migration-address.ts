import { QemuError } from "../qemu-error.ts";

/** Where a migration goes, or comes in. */
export type MigrationAddress =
  | { readonly type: "inet"; readonly host: string; readonly port: number }
  | { readonly type: "unix"; readonly path: string }
  /** A way of QEMU that leads nowhere here. */
  | { readonly type: "other"; readonly uri: string };

/** Of `migrate` and `-incoming`. QemuError. Source of texts: migrate_uri_parse of QEMU 10.2.2. */
export function migrationAddress(uri: string): MigrationAddress {
  const inet = /^tcp:(.*):(\d{1,5})(,.*)?$/.exec(uri);
  if (inet && Number(inet[2]) < 65536) return { type: "inet", host: unbracketed(inet[1] ?? ""), port: Number(inet[2]) };
  if (uri.startsWith("tcp:")) throw new QemuError(`error parsing address '${uri.slice("tcp:".length)}'`);
  if (uri.startsWith("unix:")) return unixAddress(uri.slice("unix:".length));
  const name = /^fd:(.*)$/.exec(uri)?.[1];
  // Node cannot take descriptors from a socket, so nobody can have given it a name.
  if (name !== undefined) throw new QemuError(`File descriptor named '${name}' has not been found`);
  if (/^(exec|file|vsock|rdma):/.test(uri)) return { type: "other", uri };
  throw new QemuError(`unknown migration protocol: ${uri}`);
}

/** As `channels` of migrate and migrate-incoming has it: only a main channel. QemuError. */
export function channelAddress(channels: readonly unknown[]): MigrationAddress {
  const [channel] = channels as readonly { addr?: Readonly<Record<string, unknown>> }[];
  const { transport, type, host, port, path, str: fd } = channel?.addr ?? {};
  if (channels.length !== 1 || transport !== "socket") throw new QemuError("Channel list must have one channel of type 'main'");
  if (type === "inet") return migrationAddress(`tcp:${host}:${port}`);
  if (type === "unix") return migrationAddress(`unix:${path}`);
  return migrationAddress(`fd:${fd}`);
}

/** As messages name it. */
export function addressText(address: MigrationAddress): string {
  if (address.type === "other") return address.uri;
  if (address.type === "unix") return address.path;
  return `${address.host.includes(":") ? `[${address.host}]` : address.host}:${address.port}`;
}

/** As `socket-address` of query-migrate has it. */
export function socketAddressMembers(address: MigrationAddress): Readonly<Record<string, string>> | undefined {
  if (address.type === "unix") return { path: address.path, type: "unix" };
  if (address.type === "inet") return { port: String(address.port), host: address.host, type: "inet" };
  return undefined;
}

/** sun_path of Linux with the zero at its end. */
const UNIX_PATH_BYTES = 108;

function unixAddress(path: string): MigrationAddress {
  if (Buffer.byteLength(path) >= UNIX_PATH_BYTES) {
    throw new QemuError(`UNIX socket path '${path}' is too long`, "GenericError", `Path must be less than ${UNIX_PATH_BYTES} bytes`);
  }
  return { type: "unix", path };
}

const unbracketed = (host: string): string => /^\[(.*)\]$/.exec(host)?.[1] ?? host;
