import { type Apqn, adapterOf, apqn, domainOf } from "../../../ap/apqn.ts";
import { Mask } from "../../../ap/mask.ts";
import type { ApMasks } from "../../../kvm/crycb.ts";
import { fail } from "../../../sysfs/errno.ts";

/**
 * What travels of a vfio-ap device: which queues and control domains its guest has, and what the source's queues say of themselves. The
 * words are big endian. Source: struct vfio_ap_config of the migration series of 2026 in its newest draft.
 */
export interface ConfigurationData {
  readonly controlDomains: Mask;
  readonly queues: readonly SourceQueue[];
}

export interface SourceQueue {
  readonly queue: Apqn;
  /** The two words of general register 2 after TAPQ at the source. */
  readonly high: number;
  readonly low: number;
}

const magic = 0x76666170;
const version = 1;

/** Every APQN there can be; bounds the memory that 12 bytes from a stranger make us take. */
const maxQueues = 256 * 256;

const header = { magic: 0, version: 4, queueCount: 8, reserved: 12, controlDomains: 16, bytes: 48 } as const;
const entry = { high: 0, low: 4, queue: 8, reserved: 10, bytes: 16 } as const;

/** Magic, version and number of queues: what says how long the data is. */
export const prefixBytes = header.reserved;

export const dataBytes = (queueCount: number): number => header.bytes + entry.bytes * queueCount;

export function encodeConfiguration({ controlDomains, queues }: ConfigurationData): Uint8Array {
  const bytes = new Uint8Array(dataBytes(queues.length));
  const view = viewOf(bytes);
  view.setUint32(header.magic, magic);
  view.setUint32(header.version, version);
  view.setUint32(header.queueCount, queues.length);
  controlDomains.writeTo(view, header.controlDomains);
  for (const [index, { queue, high, low }] of queues.entries()) {
    const at = dataBytes(index);
    view.setUint32(at + entry.high, high);
    view.setUint32(at + entry.low, low);
    view.setUint16(at + entry.queue, queue);
  }
  return bytes;
}

/** How long the data is that begins so. EINVAL: more queues than there can be. */
export function announcedBytes(prefix: Uint8Array): number {
  const count = viewOf(prefix).getUint32(header.queueCount);
  return count > maxQueues ? fail("EINVAL") : dataBytes(count);
}

/** EINVAL: it is not data of this kind. */
export function checkKind(prefix: Uint8Array): void {
  const view = viewOf(prefix);
  if (view.getUint32(header.magic) !== magic || view.getUint32(header.version) !== version) fail("EINVAL");
}

/**
 * Data of the length that it announces. EINVAL: no source writes it so. The draft looks at nothing here: queues that are no product
 * would give the guest also those that nobody named and nobody compared.
 */
export function decodeConfiguration(bytes: Uint8Array): ConfigurationData {
  checkKind(bytes);
  const view = viewOf(bytes);
  const queues: SourceQueue[] = [];
  for (let at = dataBytes(0); at < bytes.length; at += entry.bytes) {
    if (bytes.subarray(at + entry.reserved, at + entry.bytes).some((byte) => byte !== 0)) fail("EINVAL");
    queues.push({ queue: view.getUint16(at + entry.queue), high: view.getUint32(at + entry.high), low: view.getUint32(at + entry.low) });
  }
  if (view.getUint32(header.reserved) !== 0) fail("EINVAL");
  const data = { controlDomains: Mask.fromBytes(view, header.controlDomains), queues };
  const product = [...queuesOf(masksOf(data))];
  if (product.length !== queues.length || product.some((queue, index) => queue !== queues[index]?.queue)) fail("EINVAL");
  return data;
}

/** The matrix that has these queues and control domains. */
export const masksOf = ({ queues, controlDomains }: ConfigurationData): ApMasks => ({
  adapters: Mask.from(queues.map(({ queue }) => adapterOf(queue))),
  usageDomains: Mask.from(queues.map(({ queue }) => domainOf(queue))),
  controlDomains,
});

/** All queues of a matrix, adapter by adapter. */
export function* queuesOf({ adapters, usageDomains }: ApMasks): Generator<Apqn> {
  for (const adapter of adapters) for (const domain of usageDomains) yield apqn(adapter, domain);
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
