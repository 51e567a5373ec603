import { type AddressInfo, connect, createServer, type Server } from "node:net";
import type { Duplex } from "node:stream";
import { bindProblem } from "../chardev/bind-problem.ts";
import { removeForeignSocketFile } from "../chardev/remove-foreign-socket-file.ts";
import { systemErrorText } from "../chardev/system-error-text.ts";
import { QemuError } from "../qemu-error.ts";
import { addressText, type MigrationAddress } from "./migration-address.ts";
import type { MigrationListener } from "./migration-surroundings.ts";

/** How long a connection may take to come about. */
const CONNECT_LIMIT_MS = 30_000;

/** QemuError. */
export async function connectMigration(address: MigrationAddress): Promise<Duplex> {
  if (address.type === "other") throw new QemuError(`A guest of Adjunct cannot be migrated to '${address.uri}'`);
  const socket = connect(address.type === "unix" ? { path: address.path } : { host: address.host || "localhost", port: address.port });
  socket.setTimeout(CONNECT_LIMIT_MS, () => socket.destroy(Object.assign(new Error(), { code: "ETIMEDOUT" })));
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", (error) => reject(new QemuError(`Failed to connect to '${addressText(address)}': ${systemErrorText(error)}`)));
  });
  socket.setTimeout(0);
  socket.setNoDelay(true);
  return socket;
}

/** Gives away every connection until it is closed. QemuError. */
export async function listenForMigration(address: MigrationAddress, accept: (stream: Duplex) => void): Promise<MigrationListener> {
  if (address.type === "other") throw new QemuError(`A guest of Adjunct cannot come from '${address.uri}'`);
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.setNoDelay(true);
    accept(socket);
  });
  if (address.type === "unix") removeForeignSocketFile(address.path);
  await listen(server, address);
  const bound = address.type === "inet" ? { ...address, port: (server.address() as AddressInfo).port } : address;
  return { address: bound, close: () => server.close() };
}

async function listen(server: Server, address: Exclude<MigrationAddress, { type: "other" }>): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => reject(new QemuError(bindProblem(address, error))));
    server.listen(address.type === "unix" ? { path: address.path } : { host: address.host || "0.0.0.0", port: address.port }, resolve);
  });
  server.removeAllListeners("error");
  server.on("error", () => {});
}
