import { describe, expect, test } from "vitest";
import { QemuError } from "../qemu-error.ts";
import { type CommandLine, readCommandLine } from "./command-line.ts";
import { LaterError } from "./located-error.ts";
import { optionTable } from "./option-table.ts";

/** Words with quotes as a shell takes them. */
const words = (text: string): string[] => [...text.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? "");

function read(text: string): CommandLine {
  const result = readCommandLine(words(text));
  if ("help" in result) throw new Error("help was asked for");
  return result;
}

function helpOn(text: string): string {
  const result = readCommandLine(words(text));
  return "help" in result ? result.help : "";
}

function refusal(text: string): string[] {
  try {
    read(text);
  } catch (error) {
    if (!(error instanceof QemuError)) throw error;
    return [...(error instanceof LaterError ? error.earlier : []), error.message, ...(error.hint?.split("\n") ?? [])];
  }
  return [];
}

const identifierHint = "Identifiers consist of letters, digits, '-', '.', '_', starting with a letter.";

describe("a word of the command line", () => {
  test.each([
    ["-foo", ["-foo: invalid option"]],
    ["--foo", ["--foo: invalid option"]],
    ["-", ["-: invalid option"]],
    ["-device vfio-ap -foo", ["-foo: invalid option"]],
    ["-device", ["-device: requires an argument"]],
    ["--name", ["--name: requires an argument"]],
    ["-smbios x", ["-smbios x: Option not supported for this target"]],
    ["-no-fd-bootchk", ["-no-fd-bootchk: Option not supported for this target"]],
    ["-chroot /x", ["-chroot: invalid option"]],
    ["-cpu z14 -device {bad}", ["-device {bad}: JSON parse error, invalid keyword 'bad'"]],
    [`-device '{"driver":"vfio-ap"'`, [`-device {"driver":"vfio-ap": JSON parse error, premature EOI`]],
    ["-device vfio-ap,id=1x", ["-device vfio-ap,id=1x: Parameter 'id' expects an identifier", identifierHint]],
    ["-device virtio-rng-ccw,id=a -device vfio-ap,id=a", ["-device vfio-ap,id=a: Duplicate ID 'a' for device"]],
    ["-accel nosuch", ["-accel nosuch: invalid accelerator nosuch"]],
    ["-machine accel=nosuch", ["invalid accelerator nosuch"]],
    ["-machine accel=kvm -accel tcg", ['The -accel and "-machine accel=" options are incompatible']],
    ["-machine nosuch", ['unsupported machine type: "nosuch"', "Use -machine help to list supported machines"]],
    ["-machine foo=bar", ["Property 's390-ccw-virtio-10.2-machine.foo' not found"]],
    ["-name guest=a,foo=b", ["-name guest=a,foo=b: Invalid parameter 'foo'"]],
    ["-uuid x", ["-uuid x: failed to parse UUID string: wrong format"]],
    [
      "-m x",
      [
        "-m x: Parameter 'size' expects a non-negative number below 2^64",
        "Optional suffix k, M, G, T, P or E means kilo-, mega-, giga-, tera-, peta-",
        "and exabytes, respectively.",
      ],
    ],
    ["-m 99999999999999999999", ["-m 99999999999999999999: Value '99999999999999999999' is out of range for parameter 'size'"]],
    ["-m 1G,foo=x", ["-m 1G,foo=x: Invalid parameter 'foo'"]],
    ["-smp 1000", ["Invalid SMP CPUs 1000. The max CPUs supported by machine 's390-ccw-virtio-10.2' is 248"]],
    ["-smp 2,foo=3", ["Parameter 'smp.foo' is unexpected"]],
    ["-smp x", ["Parameter 'smp.cpus' expects integer"]],
    [
      "-smp cpus=2,maxcpus=1",
      [
        "Invalid CPU topology: maxcpus must be equal to or greater than smp: drawers (1) * books (1) * sockets (1) * cores (1) * threads (1) == maxcpus (1) < smp_cpus (2)",
      ],
    ],
    [
      "-smp 2,sockets=2,cores=2",
      [
        "Invalid CPU topology: product of the hierarchy must match maxcpus: drawers (1) * books (1) * sockets (2) * cores (2) * threads (0) != maxcpus (2)",
      ],
    ],
    ["-smp 0", ["Invalid CPU topology: CPU topology parameters must be greater than zero"]],
    ["-qmp tcp:foo", ["-qmp tcp:foo: parse error: tcp:foo"]],
    ["-serial chardev:foo", ["-serial chardev:foo: could not connect serial device to character backend 'chardev:foo'"]],
    [
      "-msg foo",
      ["-msg foo: warning: short-form boolean option 'foo' deprecated\nPlease use foo=on instead", "-msg foo: Invalid parameter 'foo'"],
    ],
    ["-device {bad", ["-device {bad: JSON parse error, invalid keyword 'bad'"]],
    ["-chardev null", ["-chardev null: chardev: no id specified"]],
    ["-chardev nosuch,id=a", ["-chardev nosuch,id=a: 'nosuch' is not a valid char driver name"]],
    ["-chardev null,id=1a", ["-chardev null,id=1a: Parameter 'id' expects an identifier", identifierHint]],
    ["-chardev null,id=a -chardev null,id=a", ["-chardev null,id=a: Duplicate ID 'a' for chardev"]],
    ["-chardev socket,id=a,foo=b", ["-chardev socket,id=a,foo=b: Invalid parameter 'foo'"]],
    ["-qmp nosuch", ["-qmp nosuch: 'nosuch' is not a valid char driver", "-qmp nosuch: parse error: nosuch"]],
    ["-qmp none", ["-qmp none: 'none' is not a valid char driver", "-qmp none: parse error: none"]],
    [
      "-serial foo",
      ["-serial foo: 'foo' is not a valid char driver", "-serial foo: could not connect serial device to character backend 'foo'"],
    ],
    ["-mon chardev=a,mode=foo", ["-mon chardev=a,mode=foo: Parameter 'mode' does not accept value 'foo'"]],
    ["-object nosuch,id=o", ["-object nosuch,id=o: Parameter 'qom-type' does not accept value 'nosuch'"]],
    ["-object iothread", ["-object iothread: Parameter 'id' is missing"]],
    ["-object iothread,id=a -object iothread,id=a", ["-object iothread,id=a: Duplicate ID 'a' for object"]],
    ["-action reboot=foo", ["-action reboot=foo: Parameter 'reboot' does not accept value 'foo'"]],
    ["-msg timestamp=x", ["-msg timestamp=x: Parameter 'timestamp' expects 'on' or 'off'"]],
    ["-display foo", ["-display foo: Parameter 'type' does not accept value 'foo'"]],
    ["-daemonize -nographic", ["-nographic cannot be used with -daemonize"]],
    ["-daemonize -nographic -monitor none", ["-nographic cannot be used with -daemonize"]],
    ["-daemonize -nographic -serial none", ["-nographic cannot be used with -daemonize"]],
  ])("%s is refused in QEMU's words", (text, lines) => {
    expect(refusal(text)).toEqual(lines);
  });

  test.each([
    ["-readconfig /etc/qemu.cfg", ["-readconfig /etc/qemu.cfg: configuration files are not read, write their options on the command line"]],
  ])("%s is refused, since a model guest would start without what it asks for", (text, lines) => {
    expect(refusal(text)).toEqual(lines);
  });

  test.each([
    "-daemonize -nographic -serial null -monitor none",
    "-daemonize -nographic -serial none -qmp null",
    "-daemonize -nographic -nodefaults",
  ])("%s is taken, since nothing is on stdio", (text) => {
    expect(read(text)).toMatchObject({ isDaemon: true });
  });

  test("is understood with one dash or two", () => {
    expect(read("--name a --S").isPaused).toBe(true);
  });

  test("that is no option is taken for a disk, and noted", () => {
    expect(read("disk.img -S").ignored).toEqual(["disk.img"]);
  });
});

describe("the command lines of the documents", () => {
  test.each([
    "-cpu host,ap=on,apqci=on,apft=on -device vfio-ap,sysfsdev=/sys/devices/vfio_ap/matrix/62177883-f1bb-47f0-914d-32a22e3a8804",
    "-cpu host,ap=on,apqci=on,apft=on,apqi=on -device vfio-ap,sysfsdev=/sys/devices/vfio_ap/matrix/62177883-f1bb-47f0-914d-32a22e3a8804",
    "-cpu z13,ap=on,apqci=on,apft=on,apqi=on",
    "-cpu host,ap=off,apqci=off,apft=off,apqi=off",
    "-device vfio_ap,sysfsdev=/sys/x",
  ])("%s is understood as typed", (text) => {
    const { cpu, devices } = read(text);
    expect(cpu ?? devices[0]?.place).toBeDefined();
  });

  test("give the device as QEMU's own syntax or as JSON", () => {
    const plain = read("-device vfio-ap,id=hostdev0,sysfsdev=/sys/bus/mdev/devices/U").devices[0];
    const json = read(`-device '{"driver":"vfio-ap","id":"hostdev0","sysfsdev":"/sys/bus/mdev/devices/U"}'`).devices[0];
    expect(new Map(json?.options)).toEqual(new Map(plain?.options));
    expect(plain?.place).toBe("-device vfio-ap,id=hostdev0,sysfsdev=/sys/bus/mdev/devices/U");
  });
});

test("the command line of a management program is understood", () => {
  const line = read(
    "-name guest=my-guest,debug-threads=on -S " +
      `-object '{"qom-type":"secret","id":"masterKey0","format":"raw","file":"/var/lib/x/master-key.aes"}' ` +
      "-machine s390-ccw-virtio-10.2,usb=off,dump-guest-core=off,memory-backend=s390.ram -accel kvm -cpu gen16a-base,ap=on,apqci=on " +
      `-m size=1048576k -object '{"qom-type":"memory-backend-ram","id":"s390.ram","size":1073741824}' -overcommit mem-lock=off ` +
      "-smp 2,sockets=2,cores=1,threads=1 -uuid 8be4df61-93ca-11d2-aa0d-00e098032b8c -display none -no-user-config -nodefaults " +
      "-chardev socket,id=charmonitor,fd=23,server=on,wait=off -mon chardev=charmonitor,id=monitor,mode=control " +
      `-rtc base=utc -no-shutdown -boot strict=on -device '{"driver":"virtio-serial-ccw","id":"virtio-serial0","devno":"fe.0.0001"}' ` +
      "-chardev pty,id=charconsole0 " +
      `-device '{"driver":"sclpconsole","chardev":"charconsole0","id":"console0"}' ` +
      `-device '{"driver":"vfio-ap","id":"hostdev0","sysfsdev":"/sys/bus/mdev/devices/U"}' ` +
      "-sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny -msg timestamp=on",
  );
  expect(line).toMatchObject({
    name: "my-guest",
    isPaused: true,
    cpu: "gen16a-base,ap=on,apqci=on",
    cpus: 2,
    maxCpus: 2,
    memoryBytes: 2 ** 30,
    actions: { shutdown: "pause", reboot: "reset" },
    messages: { hasTimestamp: true },
    accelerator: "kvm",
    monitors: [{ chardev: "charmonitor", mode: "control" }],
    warnings: [],
  });
  expect(line.devices.map(({ options }) => options.get("driver"))).toEqual(["virtio-serial-ccw", "sclpconsole", "vfio-ap"]);
  expect(line.ignored).toContain("-rtc base=utc");
});

test("the command line of a prober is understood", () => {
  const line = read(
    "-S -no-user-config -nodefaults -nographic -machine none,accel=kvm:tcg -qmp unix:/tmp/q.sock,server=on,wait=off -pidfile /tmp/q.pid",
  );
  expect(line).toMatchObject({ accelerator: "kvm", pidFile: "/tmp/q.pid", machine: { type: { name: "none" } } });
});

describe("monitors", () => {
  test.each([
    ["-qmp unix:/tmp/q,server,nowait", { backend: "socket", options: { path: "/tmp/q", server: "on", wait: "off" } }, "control"],
    [
      "-qmp tcp:localhost:4444,server=on,wait=off",
      { backend: "socket", options: { host: "localhost", port: "4444", server: "on", wait: "off" } },
      "control",
    ],
    ["-monitor stdio", { backend: "stdio", options: {} }, "readline"],
    ["-monitor mon:stdio", { backend: "stdio", options: { mux: "on" } }, "readline"],
    [
      "-monitor telnet:127.0.0.1:1234,server=on",
      { backend: "socket", options: { host: "127.0.0.1", port: "1234", server: "on", telnet: "on" } },
      "readline",
    ],
    ["-qmp file:/tmp/x", { backend: "file", options: { path: "/tmp/x" } }, "control"],
    ["-nographic", { backend: "stdio", options: { mux: "on" } }, "readline"],
  ])("of %s", (text, { backend, options }, mode) => {
    const { chardevs, monitors } = read(text);
    expect(chardevs.map(({ record }) => ({ ...record, options: Object.fromEntries(record.options) }))).toEqual([
      { id: "compat_monitor0", backend, options },
    ]);
    expect(monitors).toMatchObject([{ chardev: "compat_monitor0", mode, isPretty: false }]);
  });

  test("may share the character devices of -chardev", () => {
    const { monitors } = read("-chardev stdio,id=m -mon m,mode=control,pretty=on -qmp chardev:x -qmp-pretty stdio");
    expect(monitors.map(({ chardev, mode, isPretty }) => [chardev, mode, isPretty])).toEqual([
      ["m", "control", true],
      ["x", "control", false],
      ["compat_monitor0", "control", true],
    ]);
  });

  test.each(["-nographic -nodefaults", "-nographic -monitor none", "-display none", "-nographic -chardev stdio,id=a"])(
    "are none with %s",
    (text) => {
      expect(read(text).monitors).toEqual([]);
    },
  );
});

describe("help", () => {
  test.each([
    ["--version", /^QEMU emulator version 10\.2\.2/],
    ["-h", /usage: qemu-system-s390x/],
    ["-cpu help", /^s390 z14 +IBM z14 GA1 +\(migration-safe\)$/m],
    ["-machine help", /^s390-ccw-virtio +Virtual s390x machine \(version 10\.2\) \(alias of s390-ccw-virtio-10\.2\)$/m],
    ["-M ?", /^none +empty machine$/m],
    ["-accel help", /^kvm$/m],
    ["-device help", /^name "vfio-ap", bus ap-bus, desc "VFIO-based AP device assignment"$/m],
    ["-device vfio-ap,help", /^vfio-ap options:\n.*\n.*\n {2}sysfsdev=<str> +- Host sysfs path of assigned device$/],
    ["-object help", /^ {2}iommufd$/m],
    ["-chardev help", /^ {2}socket$/m],
  ])("%s is printed", (text, expected) => {
    expect(helpOn(text)).toMatch(expected);
  });

  test("on a device that there is not is refused", () => {
    expect(refusal("-device vfio_ap,help")).toEqual(["-device vfio_ap,help: 'vfio_ap' is not a valid device model name"]);
  });
});

test("every option that is taken but not read is noted", () => {
  for (const { name, takesArgument, isForTarget, isRead } of optionTable.values()) {
    if (!isForTarget || isRead) continue;
    expect(read(takesArgument ? `-${name} x` : `-${name}`).ignored).toEqual([takesArgument ? `-${name} x` : `-${name}`]);
  }
});

test("the last of several values holds", () => {
  expect(read("-m 1G -m 2G").memoryBytes).toBe(2 ** 31);
  expect(read("-name a -name guest=b").name).toBe("b");
  expect(read("-cpu z13 -cpu z14").cpu).toBe("z14");
});

test.each([
  ["4", { cpus: 4, maxCpus: 4 }],
  ["2,maxcpus=8", { cpus: 2, maxCpus: 8 }],
  ["2,sockets=2,cores=1,threads=1", { cpus: 2, maxCpus: 2 }],
  ["4,sockets=2", { cpus: 4, maxCpus: 4 }],
  ["sockets=2,cores=3,threads=1", { cpus: 6, maxCpus: 6 }],
  ["1,sockets=2,cores=2,threads=1,maxcpus=4", { cpus: 1, maxCpus: 4 }],
])("-smp %s is counted as QEMU does", (text, { cpus, maxCpus }) => {
  expect(read(`-smp ${text}`)).toMatchObject({ cpus, maxCpus });
});

test("falls back to the accelerator that there is", () => {
  expect(read("-machine none,accel=hvf:kvm")).toMatchObject({
    accelerator: "kvm",
    warnings: ["invalid accelerator hvf", "falling back to KVM"],
  });
});

test("random words never end in anything but a refusal", () => {
  const pieces = [
    "-device",
    "-cpu",
    "-m",
    "-qmp",
    "{",
    "}",
    ",",
    "=",
    "vfio-ap",
    "id=",
    "-smp",
    "é",
    "'",
    '"',
    "--",
    "[",
    "unix:",
    "-mon",
    "%s",
    "",
  ];
  let seed = 1;
  const next = (): number => {
    seed = (seed * 48271) % 2147483647;
    return seed;
  };
  for (let round = 0; round < 2000; round++) {
    const line = Array.from({ length: next() % 6 }, () =>
      Array.from({ length: next() % 4 }, () => pieces[next() % pieces.length]).join(""),
    );
    try {
      readCommandLine(line);
    } catch (error) {
      expect(error, line.join(" ")).toBeInstanceOf(QemuError);
    }
  }
});
