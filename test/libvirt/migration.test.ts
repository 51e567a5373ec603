import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { domainXml, hostdevXml, useDomainHost } from "./domain-host.ts";

/** A domain from one host's libvirt to another's: as the kernel's document has it, with its device plugged, and by `adjunct migrate`. */
const uuid = "62177883-f1bb-47f0-914d-32a22e3a8804";
const configuration = (name: string): string => `name: ${name}
kernel: 7.2-migration
machine: { model: z16, adapters: { 5: { type: CEX6C } }, usage-domains: [4], control-domains: [4] }
apmask: "-5"
mdevs:
  ${uuid}: { adapters: [5], domains: [4] }
`;
/** A monitor's descriptors are not taken, so the emulator connects by itself. */
const options = "--live --parallel --migrateuri";

describe("with libvirt 11", () => {
  const host = useDomainHost("source", { configuration: configuration("source"), libvirt: "11" });
  const on = async (name: string, command: string): Promise<string> => {
    const { stdout, stderr } = await host.sandbox.adjunct("exec", name, "--", "bash", "-c", command);
    return `${stderr}${stdout}`.trim();
  };
  const queuesOn = async (name: string): Promise<string> => {
    const words = ["exec", name, "--guest", "my-guest", "--", "sh", "-c", "echo 1 > /sys/bus/ap/scans; ls /sys/bus/ap/devices"];
    return (await host.sandbox.adjunct(...words)).stdout.trim();
  };
  const migrate = (from: string, to: string): Promise<string> => {
    const socket = join(host.sandbox.runFolder, to, "libvirt.sock");
    return on(
      from,
      `virsh -q migrate ${options} unix://${join(host.sandbox.folder, "move")} my-guest 'qemu+unix:///system?socket=${socket}'`,
    );
  };

  beforeAll(async () => {
    if (host.sandbox === undefined) return;
    await host.sandbox.up(host.sandbox.file("target.yaml", configuration("target")));
    host.sandbox.file("hostdev.xml", hostdevXml(uuid));
  }, 60_000);

  test("a domain moves without its device, which is unplugged before and plugged there, moves back, and by adjunct migrate", async () => {
    const file = host.sandbox.file("domain.xml", domainXml("my-guest", hostdevXml(uuid)));
    expect(await on("source", `virsh -q define ${file} && virsh -q start my-guest`)).toBe("");
    const guests = async (name: string): Promise<{ bootId: string }[]> =>
      JSON.parse((await host.sandbox.adjunct("guests", name, "--json")).stdout);
    const [{ bootId }] = (await guests("source")) as [{ bootId: string }];

    expect(await on("source", "virsh -q detach-device my-guest ~/hostdev.xml --live")).toBe("");
    expect(await migrate("source", "target")).toBe("");
    expect(await on("source", "virsh -q domstate my-guest")).toBe("shut off");
    expect(await on("target", "virsh -q domstate my-guest --reason")).toBe("running (migrated)");
    expect(await queuesOn("target")).toBe("");
    expect(await on("target", "virsh -q attach-device my-guest ~/hostdev.xml")).toBe("");
    expect(await queuesOn("target")).toBe("05.0004\ncard05");

    expect(await migrate("target", "source")).toBe("");
    expect(await queuesOn("source")).toBe("05.0004\ncard05");

    const { status, stderr } = await host.sandbox.adjunct("migrate", "source", "my-guest", "target");
    expect({ status, stderr }).toMatchObject({ status: 0 });
    expect(await on("source", "virsh -q domstate my-guest")).toBe("shut off");
    expect(await queuesOn("target")).toBe("05.0004\ncard05");
    expect((await guests("target"))[0]!.bootId).toBe(bootId);
  });
});
