import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { Emulator } from "../../emulator.ts";
import { ToyGuestPort } from "../../toy-guest-port.ts";
import { attachMonitor } from "../attach-monitor.ts";
import { ToyChardev } from "../toy-chardev.ts";

const mdev = "/sys/devices/vfio_ap/matrix/62177883-f1bb-47f0-914d-32a22e3a8804";
const prompt = /\(qemu\) $/;

let emulator: Emulator;
let monitor: ToyChardev;
let reported: string[];

/** What is printed between the echo of a line and the next prompt. */
async function type(line: string): Promise<string> {
  monitor.say(`${line}\n`);
  const text = await monitor.until(prompt);
  return text.slice(text.indexOf("\r\n") + 2, -"(qemu) ".length).replaceAll("\r\n", "\n");
}

beforeEach(async () => {
  reported = [];
  const port = new ToyGuestPort();
  port.mdevs.set(mdev, { isPlugged: true, irqs: 2 });
  emulator = new Emulator({ name: "guest1", port, nowMs: () => 0, report: (line) => reported.push(line) });
  await emulator.create();
  await emulator.begin({ isPaused: true });
  monitor = new ToyChardev("m");
  attachMonitor(emulator, monitor, { mode: "readline", pretty: false });
});

describe("the human monitor", () => {
  it("greets as QEMU 10.2.2 and shows a prompt", async () => {
    expect(await monitor.until(prompt)).toBe("QEMU 10.2.2 monitor - type 'help' for more information\r\n(qemu) ");
  });

  it("plugs, shows and unplugs a vfio-ap device, with the options as a word in quotes too", async () => {
    await monitor.until(prompt);
    for (const options of [`vfio-ap,sysfsdev=${mdev},id=hostdev0`, `"vfio-ap,sysfsdev=${mdev},id=hostdev0"`]) {
      expect(await type(`device_add ${options}`)).toBe("");
      const tree = await type("info qtree");
      expect(tree).toContain('  dev: ap-bridge, id ""\n    bus: ap-bus\n      type ap-bus\n      dev: vfio-ap, id "hostdev0"\n');
      expect(tree).toContain(`        sysfsdev = "${mdev}"\n`);
      expect(await type("info qom-tree /machine/peripheral")).toContain("  /hostdev0 (vfio-ap)\n");
      expect(await type("info migrate")).toContain("Outgoing migration blocked:\n  non-migratable device: /1/vfio-ap\n");
      expect(await type("device_del hostdev0")).toBe("");
    }
  });

  it("prints to QEMU's stderr, not to the monitor, that quotes inside a word belong to it", async () => {
    await monitor.until(prompt);
    expect(await type(`device_add vfio-ap,sysfsdev="${mdev}",id="hostdev0"`)).toBe('Try "help device_add" for more information\n');
    expect(reported).toEqual([
      "Parameter 'id' expects an identifier",
      "Identifiers consist of letters, digits, '-', '.', '_', starting with a letter.",
    ]);
    expect(await type(`device_add vfio-ap,sysfsdev="${mdev}"`)).toBe(
      `Error: vfio "${mdev}": no such host device: No such file or directory\n`,
    );
  });

  it.each([
    ["device_del id=hostdev0", "Error: Device 'id=hostdev0' not found\n"],
    [`device_del vfio-ap,sysfsdev="${mdev}"`, `Error: Device 'vfio-ap,sysfsdev="${mdev}"' not found\n`],
    ["device-del id=hostdev0", "unknown command: 'device-del'\n"],
    ["device-add x", "unknown command: 'device-add'\n"],
    ["device_del", 'device_del: string expected\nTry "help device_del" for more information\n'],
    ["device_del x y", 'device_del: extraneous characters at the end of line\nTry "help device_del" for more information\n'],
    ["device_add", "Error: Parameter 'driver' is missing\n"],
    ["device_add vfio_ap", "Error: 'vfio_ap' is not a valid device model name\n"],
    ["device_add vfio-ap foo", 'device_add: extraneous characters at the end of line\nTry "help device_add" for more information\n'],
    ['device_add "vfio-ap', 'Try "help device_add" for more information\n'],
    ["info nosuch", "unknown command: 'info nosuch'\n"],
    ["help nosuch", "unknown command: 'nosuch'\n"],
    ["help info nosuch", "unknown command: 'info nosuch'\n"],
    ["info status", "VM status: paused (prelaunch)\n"],
    ["info version", "10.2.2\n"],
    ["info name", "guest1\n"],
    ["info kvm", "kvm support: enabled\n"],
    ["info uuid", "00000000-0000-0000-0000-000000000000\n"],
    ["info chardev", "m: filename=toy\n"],
    ["info balloon", "Error: No balloon device has been activated\n"],
    ["info migrate", ""],
    ["info qom-tree /nosuch", "Path '/nosuch' could not be resolved.\n"],
    ["qom-list", "/\n"],
    ["qom-list /machine/peripheral", "type (string)\n"],
    ["qom-list /nosuch", "Error: Device '/nosuch' not found\n"],
    ["qom-get /machine type", '"s390-ccw-virtio-10.2-machine"\n'],
    ["qom-get /machine nosuch", "Error: Property 's390-ccw-virtio-10.2-machine.nosuch' not found\n"],
    ["object_add nosuch,id=io", "Error: Parameter 'qom-type' does not accept value 'nosuch'\n"],
    ["object_del nosuch", "Error: object 'nosuch' not found\n"],
    ["chardev-remove nosuch", "Error: Chardev 'nosuch' not found\n"],
    ["system_wakeup", "Error: wake-up from suspend is not supported by this guest\n"],
    ["   ", ""],
  ])("answers %j as QEMU does", async (line, text) => {
    await monitor.until(prompt);
    expect(await type(line)).toBe(text);
  });

  it("runs, stops and resets the guest", async () => {
    await monitor.until(prompt);
    await type("c");
    expect(await type("info status")).toBe("VM status: running\n");
    await type("stop");
    expect(await type("info status")).toBe("VM status: paused\n");
    await type("system_reset");
    expect(await type("info status")).toBe("VM status: paused (prelaunch)\n");
  });

  it("lists its commands, and those of info, in their order", async () => {
    await monitor.until(prompt);
    const names = (await type("help")).split("\n").map((line) => line.split(" ")[0]);
    expect(names).toContain("device_add");
    expect(names).toEqual([...names.slice(0, -1).sort(), ""]);
    expect(await type("info")).toContain("info status  -- ");
  });

  it("stays alive after any keys at all, and echoes in terms of a terminal", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 60 }), async (keys) => {
        // quit is a command like every other.
        monitor.say(keys.map((key) => (key === 0x71 ? 0x70 : key)));
        monitor.say("\r\u001b\u001b[F\u0005\u0017\n");
        monitor.written = "";
        monitor.say("\n\ninfo version\n");
        expect(await monitor.until(/\r\n10\.2\.2\r\n\(qemu\) $/)).toContain("10.2.2");
      }),
      { numRuns: 100 },
    );
  });
});

describe("typing", () => {
  const echo = async (keys: string): Promise<string> => {
    await monitor.until(prompt);
    monitor.say(keys);
    return monitor.written;
  };

  it("writes the line anew for every key, as QEMU does on every kind of character device", async () => {
    expect(await echo("in")).toBe("i\u001b[K\u001b[Din\u001b[K");
  });

  it("deletes backwards, moves, and deletes a word", async () => {
    await monitor.until(prompt);
    monitor.say("infx\u007fo sta\u0017uuid\u0001\u0005\n");
    expect(await monitor.until(prompt)).toContain("00000000-0000-0000-0000-000000000000");
  });

  it("completes by Tab, and lists what could be meant", async () => {
    expect((await echo("info vers\t")).endsWith("info version \u001b[K")).toBe(true);
    monitor.say("\n");
    await monitor.until(prompt);
    monitor.say("system_\t");
    expect(monitor.written).toContain("\r\nsystem_powerdown  system_reset      system_wakeup     \r\n(qemu) system_\u001b[K");
  });

  it("brings earlier lines back", async () => {
    await monitor.until(prompt);
    await type("info version");
    await type("info name");
    monitor.say("\u001b[A\u001b[A\n");
    expect(await monitor.until(prompt)).toContain("10.2.2");
    expect(await type("info history")).toBe("0: 'info name'\n1: 'info version'\n2: 'info history'\n");
  });

  it("takes no more than a line's length, and answers what is typed ahead in its turn", async () => {
    await monitor.until(prompt);
    monitor.say(`${"x".repeat(5000)}\u0001`);
    monitor.written = "";
    monitor.say("\ninfo name\ninfo version\n");
    await monitor.until(/guest1\r\n/);
    expect(await monitor.until(prompt)).toContain("10.2.2");
  });
});
