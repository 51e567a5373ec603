import type { GuestPort, HostOffer } from "./guest-port.ts";

/** What there is of AP where there is no host, or where it is not asked. */
export const noOffer: HostOffer = { ap: false, apqci: false, apft: false, apqi: false };

const neverAsked = async (): Promise<never> => {
  throw new Error("an empty machine asked for a host");
};

/** Stands where no host is: enough for a machine without anything, which is how programs ask QEMU what it can do. */
export const absentPort: GuestPort = {
  offer: noOffer,
  create: neverAsked,
  run: neverAsked,
  pause: neverAsked,
  powerOff: neverAsked,
  reset: neverAsked,
  plug: neverAsked,
  unplug: async () => {},
  destroy: async () => {},
  device: { setState: neverAsked, read: neverAsked, write: neverAsked },
  machine: { send: neverAsked, receive: neverAsked, progress: neverAsked },
  listen: () => {},
};
