import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { type ConnectionOptions, connect, createServer } from "node:tls";
import { systemErrorText } from "../chardev/system-error-text.ts";
import { QemuError } from "../qemu-error.ts";

/** The object type of -object. */
export const tlsCredentialsType = "tls-creds-x509";

/** What stands in the folder of an object of that type. */
export interface TlsCredentials {
  readonly endpoint: "client" | "server";
  /** The other side must have a certificate of the same authority. */
  readonly verifiesPeer: boolean;
  readonly files: Pick<ConnectionOptions, "ca" | "cert" | "key">;
}

/** Values as -object and object-add have them. QemuError. Source of names and texts: QEMU 10.2.2 crypto/tlscredsx509.c. */
export function loadTlsCredentials(values: ReadonlyMap<string, unknown>): TlsCredentials {
  const endpoint = values.get("endpoint") ?? "client";
  if (endpoint !== "client" && endpoint !== "server") throw new QemuError(`Parameter 'endpoint' does not accept value '${endpoint}'`);
  const folder = values.get("dir");
  if (typeof folder !== "string") throw new QemuError("Missing 'dir' property value");
  const verifiesPeer = onOff(values.get("verify-peer"));
  const needsOwn = endpoint === "server";
  const ca = verifiesPeer || !needsOwn ? credential(folder, "ca-cert.pem", true) : undefined;
  const cert = credential(folder, `${endpoint}-cert.pem`, needsOwn);
  const key = credential(folder, `${endpoint}-key.pem`, cert !== undefined);
  return { endpoint, verifiesPeer, files: { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) } };
}

/** The connecting side. The certificate must be for the host name. QemuError. */
export function secureClient(stream: Duplex, { files, verifiesPeer }: TlsCredentials, hostname: string): Promise<Duplex> {
  const servername = isIP(hostname) ? "" : hostname;
  return new Promise((resolve, reject) => {
    const secure = connect({
      socket: stream,
      ...files,
      host: hostname,
      servername,
      rejectUnauthorized: verifiesPeer,
      minVersion: "TLSv1.2",
    });
    secure.once("secureConnect", () => {
      secure.removeAllListeners("error");
      resolve(secure);
    });
    secure.once("error", (error) => reject(handshakeError(error, hostname)));
    stream.once("close", () => reject(new QemuError("TLS handshake failed: Connection reset by peer")));
  });
}

/** The listening side. QemuError. */
export function secureServer(stream: Duplex, { files, verifiesPeer }: TlsCredentials): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const server = createServer({ ...files, requestCert: verifiesPeer, rejectUnauthorized: verifiesPeer, minVersion: "TLSv1.2" });
    server.once("secureConnection", resolve);
    server.once("tlsClientError", (error) => {
      stream.destroy();
      reject(handshakeError(error, ""));
    });
    server.emit("connection", stream);
  });
}

function handshakeError(error: Error, hostname: string): QemuError {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") return new QemuError(`Certificate does not match the hostname ${hostname}`);
  return new QemuError(`TLS handshake failed: ${code === "ECONNRESET" ? "Connection reset by peer" : error.message}`);
}

function credential(folder: string, name: string, isRequired: boolean): Buffer | undefined {
  const path = join(folder, name);
  try {
    return readFileSync(path);
  } catch (error) {
    if (!isRequired && (error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new QemuError(`Unable to access credentials ${path}: ${systemErrorText(error)}`);
  }
}

function onOff(value: unknown): boolean {
  if (value === undefined || value === true || value === "on" || value === "yes") return true;
  if (value === false || value === "off" || value === "no") return false;
  throw new QemuError("Parameter 'verify-peer' expects 'on' or 'off'");
}
