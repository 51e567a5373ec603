import { describe, expect, test } from "vitest";
import { readCommandLine } from "../qemu/command-line/command-line.ts";
import type { GuestBoot, GuestConfiguration } from "./configuration.ts";
import { guestCommandLine } from "./guest-command-line.ts";
import { guestPlaces, hostPlaces } from "./places.ts";

const mdev = "62177883-f1bb-47f0-914d-32a22e3a8804";
const places = guestPlaces(hostPlaces("lpar1", { runFolder: "/run/a", stateFolder: "/var/a" }), "guest1");
const boot: GuestBoot = { kernel: "/boot/vmlinuz", memoryMib: 512, cpus: 1 };

const line = (more: Partial<GuestConfiguration> = {}, where: typeof places | undefined = places): string[] =>
  guestCommandLine({ name: "guest1", cpu: "host,ap=on", ...more }, where);
const text = (...parameters: Parameters<typeof line>): string => line(...parameters).join(" ");

describe("the command line of a guest of a configuration", () => {
  test("is that of a model guest with monitors where nothing is to be booted", () => {
    expect(text({ mdev })).toBe(
      "-name guest=guest1 -machine s390-ccw-virtio,accel=kvm -cpu host,ap=on -nodefaults -display none " +
        "-qmp unix:/run/a/lpar1/guests/guest1/qmp.sock,server=on,wait=off " +
        "-monitor unix:/run/a/lpar1/guests/guest1/monitor.sock,server=on,wait=off " +
        `-device vfio-ap,id=hostdev0,sysfsdev=/sys/devices/vfio_ap/matrix/${mdev}`,
    );
    expect(readCommandLine(line({ mdev }))).toMatchObject({ stock: undefined });
  });

  test("has neither monitors nor a console without places", () => {
    expect(guestCommandLine({ name: "guest1", cpu: "host", boot }, undefined).join(" ")).toBe(
      "-name guest=guest1 -machine s390-ccw-virtio,accel=kvm -cpu host -nodefaults -display none -m 512M -smp 1 -kernel /boot/vmlinuz",
    );
  });

  test("says what to boot and with how much", () => {
    const words = text({ boot: { ...boot, initrd: "/boot/initrd", append: "console=ttysclp0 quiet", memoryMib: 2048, cpus: 4 } });
    expect(words).toContain("-m 2048M -smp 4 -kernel /boot/vmlinuz -initrd /boot/initrd -append console=ttysclp0 quiet ");
    expect(line({ boot: { ...boot, append: "a b" } })).toContain("a b");
  });

  test("has a disk with commas in its path as QEMU takes it", () => {
    const words = line({ boot: { disk: "/disks/a,b.img", memoryMib: 512, cpus: 1 } });
    expect(words[words.indexOf("-drive") + 1]).toBe("file=/disks/a,,b.img,if=virtio");
    expect(words).not.toContain("-kernel");
  });

  test("gives a real guest a console that is kept, and a port for its agent", () => {
    const words = text({ boot });
    expect(words).toContain(
      "-chardev socket,id=console,path=/run/a/lpar1/guests/guest1/console.sock,server=on,wait=off,logfile=/var/a/lpar1/guests/guest1/console,logappend=on " +
        "-serial chardev:console",
    );
    expect(words).toContain("-chardev socket,id=agent,path=/run/a/lpar1/guests/guest1/agent-port.sock,server=on,wait=off ");
    expect(words).toContain("-device virtio-serial-ccw -device virtserialport,id=agent,chardev=agent,name=org.adjunct.agent.0");
  });

  test("is one that the front understands, of which the stock QEMU gets all but monitors, processor and vfio-ap", () => {
    const read = readCommandLine(line({ mdev, boot }));
    expect(read).toMatchObject({ name: "guest1", cpu: "host,ap=on", memoryBytes: 512 * 2 ** 20, cpus: 1 });
    const stock = "stock" in read ? (read.stock ?? []).join(" ") : "";
    expect(stock).toContain("-kernel /boot/vmlinuz");
    expect(stock).toContain("-serial chardev:console");
    expect(stock).toContain("virtserialport");
    for (const word of ["qmp.sock", "monitor.sock", "vfio-ap", "-cpu", "-machine"]) expect(stock).not.toContain(word);
  });

  test("leaves out monitors whose path no socket can have", () => {
    const long = guestPlaces(hostPlaces("lpar1", { runFolder: `/${"r".repeat(100)}`, stateFolder: "/var/a" }), "guest1");
    expect(text({}, long)).not.toContain("-qmp");
    expect(text({}, long)).not.toContain("-monitor");
  });

  test("of a real guest keeps what its console shows where no socket can have its path, and has no agent", () => {
    const long = guestPlaces(hostPlaces("lpar1", { runFolder: `/${"r".repeat(100)}`, stateFolder: "/var/a" }), "guest1");
    const words = text({ boot }, long);
    expect(words).toContain("-chardev null,id=console,logfile=/var/a/lpar1/guests/guest1/console,logappend=on -serial chardev:console");
    expect(words).not.toContain("rrrr");
    expect(words).not.toContain("agent");
  });
});
