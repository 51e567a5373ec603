import type { GuestPort, HostOffer } from "./guest-port.ts";

/** The same port with another offer of its host. */
export function portWithOffer(port: GuestPort, offer: HostOffer): GuestPort {
  return {
    offer,
    create: (guest) => port.create(guest),
    run: () => port.run(),
    pause: () => port.pause(),
    powerOff: () => port.powerOff(),
    reset: () => port.reset(),
    plug: (sysfsdev) => port.plug(sysfsdev),
    unplug: () => port.unplug(),
    destroy: () => port.destroy(),
    device: port.device,
    machine: port.machine,
    listen: (listener) => port.listen(listener),
  };
}
