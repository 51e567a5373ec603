import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { domainXml, hostdevXml, useDomainHost } from "./domain-host.ts";

/** The steps of tp-libvirt's libvirt_ap_passthrough, cold and hot, as docs/libvirt.md has them, on a host whose cards are all its own. */
const configuration = `name: tp
machine: { model: z14, adapters: { 5: { type: CEX5C }, 6: { type: CEX5A } }, usage-domains: [4, 0x47] }
modules: []
`;
const host = useDomainHost("tp", { configuration, libvirt: "9" });
const { type, typeInGuest } = host;
const passthrough = "/sys/devices/vfio_ap/matrix/mdev_supported_types/vfio_ap-passthrough";

/** Its columns are cut at blanks, and there must be ten. */
function queuesOf(listing: string): { id: string; hardwareType: number; driver: string }[] {
  const rows = listing.trimEnd().split("\n").slice(2);
  return rows
    .map((row) => row.trim().split(/\s+/))
    .map((columns) => {
      expect(columns).toHaveLength(10);
      return { id: columns[0]!, hardwareType: Number(columns[6]), driver: columns[9]! };
    })
    .filter(({ id }) => id.includes("."));
}

test.each(["cold", "hot"])("a queue of the host is passed to a domain by %s plug, used there, and given back", async (plug) => {
  const backup = host.sandbox.file("backup.xml", domainXml("avocado-vt-vm1"));
  expect(await type(`virsh -q define ${backup}`)).toBe("");
  if (plug === "hot") {
    expect(await type("virsh -q start avocado-vt-vm1")).toBe("");
    // The hot plug test sets how often the guest looks for changes; by itself it is every 30 s.
    expect(await typeInGuest("avocado-vt-vm1", "chzcrypt -c 5")).toBe("");
  }

  expect(await type("modprobe vfio_ap")).toBe("");
  const [queue] = queuesOf(await type("lszcrypt -V"));
  expect(queue).toMatchObject({ id: "05.0004", driver: "cex4queue" });
  expect(queue!.hardwareType).toBeGreaterThanOrEqual(10);
  const [card, domain] = queue!.id.split(".");
  expect(await type(`echo -0x${card} > /sys/bus/ap/apmask && echo -0x${domain} > /sys/bus/ap/aqmask`)).toBe("");
  const uuid = randomUUID();
  const device = `${passthrough}/devices/${uuid}`;
  expect(await type(`echo ${uuid} > ${passthrough}/create`)).toBe("");
  expect(await type(`echo 0x${card} > ${device}/assign_adapter && echo 0x${domain} > ${device}/assign_domain`)).toBe("");

  expect(await type(`virsh attach-device avocado-vt-vm1 ${host.sandbox.file("hostdev.xml", hostdevXml(uuid))} --current`)).toBe(
    "Device attached successfully\n",
  );
  if (plug === "cold") expect(await type("virsh -q start avocado-vt-vm1")).toBe("");
  const inGuest = async (): Promise<unknown> => {
    const listing = await typeInGuest("avocado-vt-vm1", "lszcrypt -V");
    return listing.includes("No crypto card devices found") ? [] : queuesOf(listing);
  };
  await expect.poll(inGuest, { timeout: 60_000 }).toEqual([queue]);

  await type("virsh -q destroy avocado-vt-vm1; virsh -q undefine avocado-vt-vm1");
  expect(await type(`echo 0x${card} > ${device}/unassign_adapter && echo 0x${domain} > ${device}/unassign_domain`)).toBe("");
  expect(await type(`echo +0x${card} > /sys/bus/ap/apmask && echo +0x${domain} > /sys/bus/ap/aqmask`)).toBe("");
  // The mediated device goes with the module.
  expect(await type("rmmod vfio_ap && ls /sys/bus/mdev/devices")).toBe("");
  expect(queuesOf(await type("lszcrypt -V"))[0]).toEqual(queue);
});
