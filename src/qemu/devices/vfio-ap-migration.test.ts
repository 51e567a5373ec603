import { describe, expect, test } from "vitest";
import { toySide } from "../migration/toy-hosts.ts";
import { ToyGuestPort } from "../toy-guest-port.ts";

const uuid = "62177883-f1bb-47f0-914d-32a22e3a8804";
const sysfsdev = `/sys/devices/vfio_ap/matrix/${uuid}`;
const nowhere = { type: "unix", path: "/nosuch/socket" } as const;

async function withDevice(options: Readonly<Record<string, unknown>>, isMigratable: boolean, isMigratableOnly = false) {
  const port = new ToyGuestPort();
  port.mdevs.set(sysfsdev, { isPlugged: true, irqs: 2, isMigratable });
  const { emulator, migration } = await toySide({ port, hasDevice: false, isMigratableOnly });
  await emulator.addDevice(new Map(Object.entries({ driver: "vfio-ap", sysfsdev, ...options })));
  return { emulator, migration };
}

describe("a vfio-ap device", () => {
  test("of a kernel that cannot migrate it blocks migration as QEMU 10.2.2 does", async () => {
    const { migration } = await withDevice({}, false);
    expect(migration.blockedReasons).toEqual(["non-migratable device: /1/vfio-ap"]);
    expect(() => migration.begin(nowhere)).toThrow("State blocked by non-migratable device '/1/vfio-ap'");
    expect(migration.status).toBe("none");
  });

  test.each([{}, { "enable-migration": "auto" }, { "enable-migration": "on" }])(
    "of a kernel that can blocks nothing with %j",
    async (options) => {
      const { emulator, migration } = await withDevice(options, true);
      expect(migration.blockedReasons).toEqual([]);
      expect((await migration.begin(nowhere)).problem).toContain("Failed to connect to");
      await emulator.exclusively(() => emulator.quit("host-signal"));
    },
  );

  test.each([true, false])("with enable-migration=off blocks migration, whether the kernel can (%s)", async (isMigratable) => {
    const { migration } = await withDevice({ "enable-migration": "off" }, isMigratable);
    const text = `${uuid}: Migration is disabled for VFIO device`;
    expect(migration.blockedReasons).toEqual([text]);
    expect(() => migration.begin(nowhere)).toThrow(text);
  });

  test("with enable-migration=on is refused on a kernel that cannot", async () => {
    await expect(withDevice({ "enable-migration": "on" }, false)).rejects.toThrow(
      `vfio ${uuid}: ${uuid}: VFIO migration is not supported in kernel`,
    );
  });

  test("with another value of enable-migration is refused", async () => {
    await expect(withDevice({ "enable-migration": "yes" }, true)).rejects.toThrow(
      "Parameter 'enable-migration' does not accept value 'yes'",
    );
  });

  test("with -only-migratable is taken if it migrates, else refused, and closed", async () => {
    await withDevice({}, true, true);
    await expect(withDevice({}, false, true)).rejects.toThrow("Device vfio-ap is not migratable, but --only-migratable was specified");
    await expect(withDevice({ "enable-migration": "off" }, true, true)).rejects.toThrow(
      `vfio ${uuid}: disallowing migration blocker (--only-migratable) for: ${uuid}: Migration is disabled for VFIO device`,
    );
  });

  test("that is unplugged blocks nothing any more", async () => {
    const { emulator, migration } = await withDevice({ id: "h0" }, false);
    await emulator.deleteDevice("h0");
    expect(migration.blockedReasons).toEqual([]);
  });
});
