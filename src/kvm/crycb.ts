import { Mask } from "../ap/mask.ts";

/**
 * The crypto control block of a guest: 256 bytes; which of its two AP control blocks counts depends on the format.
 * Source: Linux arch/s390/include/asm/kvm_host.h, struct kvm_s390_crypto_cb.
 */
export type CrycbFormat = 0 | 1 | 2;

export const crycbBytes = 256;
/** Format bits in the low end of CRYCBD. */
export const crycbdFormatBits = { 0: 0, 1: 1, 2: 3 } as const;

const apcb0 = { adapters: 0x00, usageDomains: 0x08, controlDomains: 0x10, bytes: 8, domainBytes: 2 } as const;
const apcb1 = { adapters: 0x80, usageDomains: 0xa0, controlDomains: 0xc0, bytes: 32, domainBytes: 32 } as const;

export interface ApMasks {
  readonly adapters: Mask;
  readonly usageDomains: Mask;
  readonly controlDomains: Mask;
}

export const noMasks: ApMasks = { adapters: Mask.none, usageDomains: Mask.none, controlDomains: Mask.none };

export class Crycb {
  readonly bytes = new Uint8Array(crycbBytes);

  constructor(readonly format: CrycbFormat) {}

  /** Format 0 and 1 keep 64 adapters and 16 domains; what is beyond is lost. */
  write(masks: ApMasks): void {
    const layout = this.#layout;
    this.#put(masks.adapters, layout.adapters, layout.bytes);
    this.#put(masks.usageDomains, layout.usageDomains, layout.domainBytes);
    this.#put(masks.controlDomains, layout.controlDomains, layout.domainBytes);
  }

  /** Zeroes both AP control blocks. */
  clear(): void {
    this.bytes.fill(0, apcb0.adapters, 0x20);
    this.bytes.fill(0, apcb1.adapters, crycbBytes);
  }

  read(): ApMasks {
    const layout = this.#layout;
    return {
      adapters: this.#get(layout.adapters, layout.bytes),
      usageDomains: this.#get(layout.usageDomains, layout.domainBytes),
      controlDomains: this.#get(layout.controlDomains, layout.domainBytes),
    };
  }

  get #layout(): typeof apcb0 | typeof apcb1 {
    return this.format === 2 ? apcb1 : apcb0;
  }

  #put(mask: Mask, offset: number, count: number): void {
    const whole = new Uint8Array(32);
    mask.writeTo(new DataView(whole.buffer), 0);
    this.bytes.set(whole.subarray(0, count), offset);
  }

  #get(offset: number, count: number): Mask {
    const whole = new Uint8Array(32);
    whole.set(this.bytes.subarray(offset, offset + count));
    return Mask.fromBytes(new DataView(whole.buffer), 0);
  }
}
