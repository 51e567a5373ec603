import { expect } from "vitest";
import { MigratingDevice } from "./migrating-device.ts";
import { exampleHost, type TestHost, type TestHostOptions, uuids } from "./test-host.ts";

/** The hosts between which a device moves. */
const [first] = uuids;

export interface Side {
  readonly host: TestHost;
  readonly device: MigratingDevice;
}

/** A host whose guest has a device with nothing assigned. */
export function side(options: TestHostOptions = {}): Side {
  const host = exampleHost("7.2-migration", options);
  host.createMdev(first);
  host.startGuest("guest1", first);
  host.forget();
  return { host, device: new MigratingDevice(host) };
}

/** What a source sends that has adapters 5 and 6, domains 4 and 0x47, and control domain 4. */
export function sent(options: TestHostOptions = {}): Buffer {
  const { host, device } = side(options);
  for (const id of [5, 6]) host.assign(first, "adapter", id);
  for (const id of [4, 0x47]) host.assign(first, "domain", id);
  host.assign(first, "control_domain", 4);
  return device.save();
}

/** The queues of that. */
export const four = ["05.0004", "05.0047", "06.0004", "06.0047"];

/** A destination whose device has something, waits for data and is as it was after a refusal. */
export function occupied(options: TestHostOptions = {}): Side & { readonly expectAsBefore: () => void } {
  const { host, device } = side(options);
  host.assign(first, "adapter", 6);
  host.assign(first, "domain", 0xab);
  host.assign(first, "control_domain", 0xff);
  host.forget();
  device.setState("resuming");
  const expectAsBefore = (): void => {
    expect([host.matrix(first), host.guestMatrix(first), host.apcb("guest1"), host.adm("guest1"), host.resets()]).toEqual([
      ["06.00ab"],
      ["06.00ab"],
      ["06.00ab"],
      [0xff],
      [],
    ]);
    expect([...host.guest("guest1").mdev!.linked.inTableOrder()].map(({ apqn }) => apqn)).toEqual([0x06ab]);
  };
  return { host, device, expectAsBefore };
}
