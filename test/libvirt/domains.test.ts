import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { launcher, outcomeOf, printed } from "../cli/sandbox.ts";
import { domainXml, hostdevXml, libvirts, useDomainHost } from "./domain-host.ts";

/** What somebody types who passes cards through with libvirt: the commands of the kernel's document on vfio-ap, its chapter Limitations, and around them. */
const uuid = "62177883-f1bb-47f0-914d-32a22e3a8804";
const other = "9e3a2f6e-4c1f-4d34-8f0b-5a6f0c7f1d02";
const configuration = `name: virt
machine: { model: z14, max-domain: 255, adapters: { 5: { type: CEX5C }, 6: { type: CEX5A } }, usage-domains: [4, 0x47, 0xab] }
apmask: "-5,-6"
mdevs:
  ${uuid}: { adapters: [5, 6], domains: [4, 0xab] }
  ${other}: { adapters: [5], domains: [0x47] }
`;
const queues = "05.0004\n05.00ab\n06.0004\n06.00ab\n";

describe.each(libvirts)("with libvirt %s", (libvirt) => {
  const host = useDomainHost("virt", { configuration, libvirt });
  const { type, typeInGuest } = host;
  const virsh = (words: string): Promise<string> => type(`virsh -q ${words}`);
  const define = (xml: string): Promise<string> => virsh(`define ${host.sandbox.file("domain.xml", xml)}`);
  const devicesOfGuest = (): Promise<string> =>
    typeInGuest("my-guest", "echo 1 > /sys/bus/ap/scans; ls /sys/bus/ap/devices | grep [.]; true");

  beforeEach(async () => {
    host.sandbox.file("config/my-guest-hostdev.xml", hostdevXml(uuid));
  });
  afterEach(async () => {
    if (host.sandbox === undefined) return;
    for (const name of ["my-guest", "other"]) await type(`virsh destroy ${name}; virsh undefine ${name}; true`);
  });

  test("a domain is defined, started, shown, destroyed and undefined", async () => {
    const file = host.sandbox.file("domain.xml", domainXml("my-guest", hostdevXml(uuid)));
    expect(await type(`virsh define ${file}`)).toBe(`Domain 'my-guest' defined from ${file}\n`);
    expect(await type("virsh start my-guest")).toBe("Domain 'my-guest' started\n");
    expect(await type("virsh list")).toMatch(/^ 1 +my-guest +running$/m);
    const shown = await virsh("dumpxml my-guest");
    expect(shown).toContain("<emulator>/run/adjunct-programs/qemu-system-s390x</emulator>");
    expect(shown).toMatch(/<console type='pty' tty='\/dev\/pts\/\d+'>/);
    expect(shown).toContain("<alias name='hostdev0'/>");
    // What host-model, the default, became: the host's processor, with its AP facilities.
    expect(shown).toMatch(/<model fallback='forbid'>z14\S*-base<\/model>/);
    for (const feature of ["ap", "apqci", "apft", "apqi"]) expect(shown).toContain(`<feature policy='require' name='${feature}'/>`);
    expect(await typeInGuest("my-guest", "lszcrypt -V")).toMatch(/^05\.00ab +CEX5C CCA-Coproc +online .* cex4queue *$/m);
    expect(await devicesOfGuest()).toBe(queues);
    expect(await virsh("domstate my-guest --reason")).toBe("running (booted)\n");
    expect(await virsh("dominfo my-guest")).toMatch(/^Used memory: +524288 KiB$/m);
    expect(await type("virsh destroy my-guest")).toBe("Domain 'my-guest' destroyed\n");
    expect(await type("virsh undefine my-guest")).toBe("Domain 'my-guest' has been undefined\n");
    expect(await virsh("list --all")).toBe("");
  });

  test("the document's commands unplug the device from a running domain and plug it again; a second one is refused", async () => {
    await define(domainXml("my-guest", hostdevXml(uuid)));
    await virsh("start my-guest");
    expect(await type("virsh detach-device my-guest ~/config/my-guest-hostdev.xml")).toBe("Device detached successfully\n");
    expect(await devicesOfGuest()).toBe("");
    expect(await virsh("dumpxml my-guest")).not.toContain("<hostdev");
    expect(await type("virsh attach-device my-guest ~/config/my-guest-hostdev.xml")).toBe("Device attached successfully\n");
    expect(await devicesOfGuest()).toBe(queues);
    expect(await virsh(`attach-device my-guest ${host.sandbox.file("second.xml", hostdevXml(other))}`)).toContain(
      "unable to execute QEMU command 'device_add': A 'ap-bus' bus was found but is full\n",
    );
    expect(await type('virsh qemu-monitor-command my-guest --hmp "device_del hostdev0"')).toBe("");
    expect(await devicesOfGuest()).toBe("");
    expect(await virsh("dumpxml my-guest")).not.toContain("<hostdev");
    const plugged = await type(`virsh qemu-monitor-command my-guest --hmp \\
"device_add vfio-ap,\\
sysfsdev=/sys/devices/vfio_ap/matrix/${uuid},\\
id=hostdev0"`);
    expect(plugged).toBe("");
    expect(await devicesOfGuest()).toBe(queues);
  });

  test("two devices in a definition are refused, and a device in use, whoever uses it, and one that is not there", async () => {
    expect(await define(domainXml("my-guest", hostdevXml(uuid) + hostdevXml(other)))).toContain(
      "error: unsupported configuration: Only one hostdev of model vfio-ap is supported\n",
    );
    await define(domainXml("other", hostdevXml(uuid)));
    await define(domainXml("my-guest", hostdevXml(uuid)));
    await virsh("start my-guest");
    expect(await virsh("start other")).toContain(
      `mediated device /sys/bus/mdev/devices/${uuid} is in use by driver QEMU, domain my-guest\nstatus 1\n`,
    );
    await virsh("destroy my-guest");
    const front = host.sandbox.spawn(process.execPath, [
      ...[launcher, "exec", "virt", "--", "qemu-system-s390x", "-nographic", "-cpu", "host", "-monitor", "stdio", "-serial", "null"],
      ...["-device", `vfio-ap,sysfsdev=/sys/bus/mdev/devices/${uuid}`],
    ]);
    const ended = outcomeOf(front);
    await printed(front, /\(qemu\) /);
    front.stdin?.write("info status\n");
    await printed(front, /VM status: running/);
    expect(await virsh("start other")).toContain(`vfio ${uuid}: Could not open '/dev/vfio/0': Device or resource busy`);
    front.stdin?.write("quit\n");
    await ended;
    expect(await virsh("start other")).toBe("");
    await virsh("undefine my-guest");
    await define(domainXml("my-guest", hostdevXml("00000000-0000-0000-0000-000000000001")));
    expect(await virsh("start my-guest")).toContain("device not found: mediated device '00000000-0000-0000-0000-000000000001' not found\n");
  });

  test("a domain is suspended, resumed, rebooted and shut down, not migrated, and its daemon may end meanwhile", async () => {
    await define(domainXml("my-guest", hostdevXml(uuid)));
    await virsh("start my-guest");
    await virsh("suspend my-guest");
    expect(await virsh("domstate my-guest")).toBe("paused\n");
    await virsh("resume my-guest");
    // Its own file has its number: nobody else's daemon is to end. Asked to end, libvirt 11's sometimes takes half a minute.
    expect(await type("kill -KILL $(cat /run/libvirtd.pid)")).toBe("");
    await expect.poll(() => virsh("domstate my-guest"), { timeout: 20_000 }).toBe("running\n");
    expect(await virsh("migrate --live my-guest 'qemu+unix:///system?socket=/run/libvirt/libvirt-sock'")).toBe(
      "error: Requested operation is not valid: cannot migrate domain: non-migratable device: /1/vfio-ap\nstatus 1\n",
    );
    await virsh("reboot my-guest");
    expect(await devicesOfGuest()).toBe(queues);
    await virsh("shutdown my-guest");
    await expect.poll(() => virsh("list --all"), { timeout: 20_000 }).toMatch(/^ - +my-guest +shut off$/m);
  });
});
