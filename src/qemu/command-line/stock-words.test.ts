import { describe, expect, test } from "vitest";
import { readCommandLine } from "./command-line.ts";

/** Words with quotes as a shell takes them. */
const words = (text: string): string[] => [...text.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? "");

function stock(text: string): string | undefined {
  const result = readCommandLine(words(text));
  if ("help" in result) throw new Error("help was asked for");
  return result.stock?.join(" ");
}

describe("a guest", () => {
  test.each([
    "-kernel vmlinuz",
    "-drive file=disk.qcow2,if=virtio",
    "-hda disk.img",
    "-cdrom debian.iso",
    "-blockdev driver=file,node-name=d,filename=disk.img",
    "disk.img",
  ])("with %s is a stock QEMU's", (text) => {
    expect(stock(text)).toContain(text);
  });

  test.each(["", "-m 512 -smp 2", "-initrd initrd.img", "-append console=ttyS0", "-device virtio-rng-ccw", "-cpu host,ap=on"])(
    "with nothing but %j is a model guest",
    (text) => {
      expect(stock(text)).toBeUndefined();
    },
  );
});

describe("a stock QEMU", () => {
  test.each([
    "-m 512 -smp 2",
    "-name guest=a,debug-threads=on",
    "-initrd initrd.img -append 'console=ttysclp0 root=/dev/vda'",
    "-device virtio-rng-ccw,id=r",
    "-netdev user,id=n -device virtio-net-ccw,netdev=n",
    "-object rng-random,id=o,filename=/dev/urandom",
    "-chardev null,id=c -serial chardev:c",
    "-nodefaults -display none",
    "-snapshot -uuid 8be4df61-93ca-11d2-aa0d-00e098032b8c",
  ])("is given %s as it was typed", (text) => {
    expect(stock(`-kernel vmlinuz ${text}`)).toBe(`-kernel vmlinuz ${words(text).join(" ")} -monitor none`);
  });

  test.each([
    "-cpu host,ap=on",
    "-accel kvm",
    "-enable-kvm",
    "-machine s390-ccw-virtio,accel=kvm",
    "-M s390-ccw-virtio",
    "-S",
    "-s",
    "-gdb tcp::1234",
    "-pidfile /tmp/p",
    "-daemonize",
    "-D /tmp/log",
    "-no-shutdown -no-reboot",
    "-action panic=pause",
    "-msg timestamp=on",
    "-only-migratable",
    "-mem-path /dev/hugepages -mem-prealloc",
    "-qmp unix:/tmp/q,server=on,wait=off",
    "-qmp-pretty null",
    "-monitor null",
    "-chardev null,id=m -mon chardev=m,mode=control",
    "-device vfio-ap,id=h,sysfsdev=/sys/x",
    `-device '{"driver":"vfio-ap","sysfsdev":"/sys/x"}'`,
    "-object memory-backend-ram,id=r,size=1G",
    `-object '{"qom-type":"memory-backend-memfd","id":"r","size":1073741824}'`,
    "-object iommufd,id=i",
  ])("hears nothing of %s, which is the front's", (text) => {
    expect(stock(`-kernel vmlinuz ${text}`)).toBe("-kernel vmlinuz -monitor none");
  });

  test("has no monitor, whatever was asked for", () => {
    expect(stock("-kernel vmlinuz")).toBe("-kernel vmlinuz -monitor none");
  });

  test("takes options with two dashes and disks without any, in their order behind all options", () => {
    expect(stock("disk.img --m 1G other.img --kernel vmlinuz")).toBe("--m 1G --kernel vmlinuz -monitor none disk.img other.img");
  });

  test("takes an argument that is empty or has blanks", () => {
    const found = readCommandLine(["-kernel", "my kernel", "-append", ""]);
    expect(found).toMatchObject({ stock: ["-kernel", "my kernel", "-append", "", "-monitor", "none"] });
  });
});

describe("a stock QEMU without a screen", () => {
  test.each([
    ["-nographic", "-display none -serial stdio"],
    ["-nographic -serial null", "-serial null -display none"],
    ["-nographic -nodefaults", "-nodefaults -display none"],
    ["-nographic -monitor none", "-display none -serial stdio"],
  ])("by %s has its console as QEMU would", (text, expected) => {
    expect(stock(`-kernel vmlinuz ${text}`)).toBe(`-kernel vmlinuz ${expected} -monitor none`);
  });
});
