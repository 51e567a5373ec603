import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { systemErrorText } from "./system-error-text.ts";

/** A socket's address as far as binding can fail for it. */
type BoundAddress = { readonly type: "unix"; readonly path: string; readonly isAbstract?: boolean } | { readonly type: "inet" | "fd" };

/** What QEMU says of a socket that cannot be bound. */
export function bindProblem(address: BoundAddress, error: unknown): string {
  const text = systemErrorText(error);
  if (address.type === "unix") {
    // libuv says EACCES for a folder that is not there.
    const isFolderMissing = !address.isAbstract && !existsSync(dirname(address.path));
    return `Failed to bind socket to ${address.path}: ${isFolderMissing ? systemErrorText({ code: "ENOENT" }) : text}`;
  }
  const isTaken = (error as NodeJS.ErrnoException).code === "EADDRINUSE";
  return isTaken ? `Failed to find an available port: ${text}` : `Failed to bind socket: ${text}`;
}
