/** An AP queue number: adapter (APID) in bits 8-15, usage domain (APQI) in bits 0-7, as PQAP takes it in general register 0. */
export type Apqn = number;

export const apqn = (adapter: number, domain: number): Apqn => (adapter << 8) | domain;
export const adapterOf = (queue: Apqn): number => queue >>> 8;
export const domainOf = (queue: Apqn): number => queue & 0xff;

/** `05.00ab`: two hex digits of the adapter, four of the domain; the name of a queue device. */
export const apqnName = (queue: Apqn): string => `${adapterName(adapterOf(queue))}.${domainName(domainOf(queue))}`;
export const adapterName = (adapter: number): string => adapter.toString(16).padStart(2, "0");
export const domainName = (domain: number): string => domain.toString(16).padStart(4, "0");
