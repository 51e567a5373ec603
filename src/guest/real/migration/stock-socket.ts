import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { QemuError } from "../../../qemu/qemu-error.ts";

/** A socket that stock QEMU connects to and nobody else finds: `begin` is told its path, and resolves when QEMU has. */
export function acceptFrom(begin: (path: string) => Promise<unknown>): Promise<Socket> {
  return withPath(async (path) => {
    const server = createServer();
    try {
      await new Promise<void>((resolve, reject) => server.once("error", reject).listen(path, resolve));
      const connected = new Promise<Socket>((resolve) => server.once("connection", resolve));
      await begin(path);
      return await connected;
    } finally {
      server.close();
    }
  });
}

/** `begin` resolves when stock QEMU listens. */
export function connectTo(begin: (path: string) => Promise<unknown>): Promise<Socket> {
  return withPath(async (path) => {
    await begin(path);
    const socket = connect(path);
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", (error) => reject(new QemuError(error.message)));
    });
    return socket;
  });
}

async function withPath(open: (path: string) => Promise<Socket>): Promise<Socket> {
  const folder = mkdtempSync(join(tmpdir(), "adjunct-"));
  try {
    const socket = await open(join(folder, "stock"));
    // What is written to a QEMU that is gone: its QMP tells.
    socket.on("error", () => {});
    return socket;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
