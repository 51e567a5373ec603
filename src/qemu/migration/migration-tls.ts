import type { Duplex } from "node:stream";
import type { Machine } from "../objects/machine.ts";
import { QemuError } from "../qemu-error.ts";
import type { MigrationAddress } from "./migration-address.ts";
import { loadTlsCredentials, secureClient, secureServer, type TlsCredentials, tlsCredentialsType } from "./tls-credentials.ts";

/** What `tls-creds` and `tls-hostname` of migrate-set-parameters say. */
export interface TlsParameters {
  /** The id of an object; empty: no TLS. */
  readonly "tls-creds": string;
  readonly "tls-hostname": string;
}

/** The stream as it is, or secured. QemuError. Source of texts: QEMU 10.2.2 migration/tls.c. */
export async function securedOutgoing(
  machine: Machine,
  parameters: TlsParameters,
  address: MigrationAddress,
  stream: Duplex,
): Promise<Duplex> {
  const credentials = credentialsOf(machine, parameters["tls-creds"], "client");
  if (!credentials) return stream;
  const hostname = parameters["tls-hostname"] || (address.type === "inet" ? address.host : "");
  if (hostname === "") throw new QemuError("No hostname available for TLS");
  return secureClient(stream, credentials, hostname);
}

/** The stream as it is, or secured. QemuError. */
export async function securedIncoming(machine: Machine, parameters: TlsParameters, stream: Duplex): Promise<Duplex> {
  const credentials = credentialsOf(machine, parameters["tls-creds"], "server");
  return credentials ? secureServer(stream, credentials) : stream;
}

function credentialsOf(machine: Machine, id: string, endpoint: TlsCredentials["endpoint"]): TlsCredentials | undefined {
  if (id === "") return undefined;
  const object = machine.userObjects.children.get(id);
  if (!object) throw new QemuError(`No TLS credentials with id '${id}'`);
  if (object.type !== tlsCredentialsType) throw new QemuError(`Object with id '${id}' is not TLS credentials`);
  const credentials = loadTlsCredentials(object.values);
  if (credentials.endpoint !== endpoint) throw new QemuError(`Expected TLS credentials for a ${endpoint} endpoint`);
  return credentials;
}
