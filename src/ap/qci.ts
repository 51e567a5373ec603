import { Mask } from "./mask.ts";

/** The 128-byte block of PQAP(QCI). Source: Linux arch/s390/include/asm/ap.h, struct ap_config_info. */
export interface QciBlock {
  readonly apsc: boolean;
  readonly apxa: boolean;
  readonly qact: boolean;
  readonly rc8a: boolean;
  readonly apsb: boolean;
  readonly maxAdapter: number;
  readonly maxDomain: number;
  readonly adapters: Mask;
  readonly usageDomains: Mask;
  readonly controlDomains: Mask;
}

export const qciBlockBytes = 128;

/** Flag bits of word 0 and the names that `features` of the AP bus prints, in its order. */
export const qciFlags = [
  { field: "apsc", bit: 0x80000000, name: "APSC" },
  { field: "apxa", bit: 0x40000000, name: "APXA" },
  { field: "qact", bit: 0x20000000, name: "QACT" },
  { field: "rc8a", bit: 0x10000000, name: "RC8A" },
  { field: "apsb", bit: 0x00800000, name: "APSB" },
] as const;

const layout = { flags: 0, maxAdapter: 4, maxDomain: 5, adapters: 16, usageDomains: 48, controlDomains: 80 } as const;

export const emptyQci: QciBlock = {
  apsc: false,
  apxa: false,
  qact: false,
  rc8a: false,
  apsb: false,
  maxAdapter: 0,
  maxDomain: 0,
  adapters: Mask.none,
  usageDomains: Mask.none,
  controlDomains: Mask.none,
};

export function encodeQci(block: QciBlock): Uint8Array {
  const bytes = new Uint8Array(qciBlockBytes);
  const view = new DataView(bytes.buffer);
  let flags = 0;
  for (const flag of qciFlags) if (block[flag.field]) flags |= flag.bit;
  view.setUint32(layout.flags, flags);
  view.setUint8(layout.maxAdapter, block.maxAdapter);
  view.setUint8(layout.maxDomain, block.maxDomain);
  block.adapters.writeTo(view, layout.adapters);
  block.usageDomains.writeTo(view, layout.usageDomains);
  block.controlDomains.writeTo(view, layout.controlDomains);
  return bytes;
}

/** Reads a block of at least 128 bytes. */
export function decodeQci(bytes: Uint8Array): QciBlock {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const flags = view.getUint32(layout.flags);
  const flag = (index: number): boolean => (flags & qciFlags[index]!.bit) !== 0;
  return {
    apsc: flag(0),
    apxa: flag(1),
    qact: flag(2),
    rc8a: flag(3),
    apsb: flag(4),
    maxAdapter: view.getUint8(layout.maxAdapter),
    maxDomain: view.getUint8(layout.maxDomain),
    adapters: Mask.fromBytes(view, layout.adapters),
    usageDomains: Mask.fromBytes(view, layout.usageDomains),
    controlDomains: Mask.fromBytes(view, layout.controlDomains),
  };
}

export function qciEquals(left: QciBlock, right: QciBlock): boolean {
  return (
    qciFlags.every((flag) => left[flag.field] === right[flag.field]) &&
    left.maxAdapter === right.maxAdapter &&
    left.maxDomain === right.maxDomain &&
    left.adapters.equals(right.adapters) &&
    left.usageDomains.equals(right.usageDomains) &&
    left.controlDomains.equals(right.controlDomains)
  );
}
