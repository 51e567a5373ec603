import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { monitorStateOf } from "./monitor/monitor-state.ts";
import { StartError, type StartedEmulator, startEmulator } from "./start-emulator.ts";
import { ToyGuestPort } from "./toy-guest-port.ts";

const uuid = "62177883-f1bb-47f0-914d-32a22e3a8804";
const path = `/sys/bus/mdev/devices/${uuid}`;
const nowMs = Date.UTC(2026, 10, 21, 5, 12, 0, 123);

let port: ToyGuestPort;
let folder: string;
let stderr: string[];
let log: string[];
let running: StartedEmulator[];

beforeEach(() => {
  port = new ToyGuestPort();
  port.mdevs.set(path, { isPlugged: true, irqs: 2 });
  folder = mkdtempSync(join(tmpdir(), "qemu-"));
  stderr = [];
  log = [];
  running = [];
});

afterEach(async () => {
  for (const { emulator, ended } of running) {
    await emulator.exclusively(() => emulator.quit("host-qmp-quit"));
    await ended;
  }
  rmSync(folder, { recursive: true, force: true });
});

async function start(text: string, host: ToyGuestPort | null = port): Promise<StartedEmulator> {
  const started = await startEmulator({
    arguments: text.split(" "),
    port: host ?? undefined,
    defaultName: "qemu-17",
    nowMs: () => nowMs,
    stderr: (line) => stderr.push(line),
    log: (line) => log.push(line),
    stdioRefusal: "this guest has no stdio",
  });
  if ("help" in started) throw new Error("help was asked for");
  running.push(started);
  return started;
}

const refusal = async (text: string, host: ToyGuestPort | null = port): Promise<string[]> => {
  const error = await start(text, host).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(StartError);
  return (error as StartError).message.split("\n");
};

describe("a start", () => {
  test("makes the guest, plugs its device and lets it run", async () => {
    const { emulator } = await start(`-name guest1 -cpu host,ap=on -device vfio-ap,sysfsdev=${path},id=h0`);
    expect(port.calls).toEqual(["create", `plug ${path}`, "run"]);
    expect(port.created?.name).toBe("guest1");
    expect(emulator.runState).toBe("running");
  });

  test("that is refused says why on stderr before its monitor is closed", async () => {
    const server = createServer().listen(join(folder, "libvirt"));
    const heard = once(server, "connection").then(async ([monitor]) => {
      await once(monitor.resume(), "close");
      return [...stderr];
    });
    const lines = await refusal(`-S -chardev socket,id=m,path=${folder}/libvirt -mon m,mode=control -device vfio-ap,sysfsdev=/nothing`);
    expect(await heard).toEqual(lines);
    server.close();
  });

  test("names a guest that has no name", async () => {
    await start("-S");
    expect(port.created?.name).toBe("qemu-17");
    expect(port.calls).toEqual(["create"]);
  });

  test("takes the host's processor by default, under tcg one without AP", async () => {
    await start("-S");
    expect(port.created?.features.ap).toBe(true);
    const without = new ToyGuestPort();
    await start("-S -accel tcg", without);
    expect(without.created?.features.ap).toBe(false);
  });

  test("needs no host for an empty machine", async () => {
    const { emulator } = await start("-S -machine none,accel=kvm:tcg -nodefaults -nographic", null);
    expect(emulator.runState).toBe("prelaunch");
  });

  test("warns on stderr and in the log, once for each processor", async () => {
    await start("-S -smp 2 -cpu z14,apqci=on -msg timestamp=on");
    const line = "2026-11-21T05:12:00.123000Z qemu-system-s390x: warning: 'apqci' requires 'ap'.";
    expect(stderr).toEqual([line, line]);
    expect(log).toEqual(expect.arrayContaining([line]));
  });

  test("puts its name before a message, not before the hint that follows", async () => {
    await start("-S -device virtio-rng-ccw,foo");
    expect(stderr).toEqual([
      "qemu-system-s390x: -device virtio-rng-ccw,foo: warning: short-form boolean option 'foo' deprecated",
      "Please use foo=on instead",
    ]);
  });

  test("names the place of a warning", async () => {
    port.mdevs.set(path, { isPlugged: true, irqs: 1 });
    await start(`-S -device vfio-ap,sysfsdev=${path}`);
    expect(stderr).toEqual([`qemu-system-s390x: -device vfio-ap,sysfsdev=${path}: warning: vfio: IRQ 1 not available (number of irqs 1)`]);
  });

  test("has a monitor on a socket that quits the guest, and takes the socket away", async () => {
    const socket = join(folder, "qmp");
    const { ended } = await start(`-qmp unix:${socket},server=on,wait=off`);
    const answer = await new Promise<string>((resolve, reject) => {
      let text = "";
      const client = connect(socket, () => client.write('{"execute":"qmp_capabilities"}{"execute":"quit"}'));
      client.on("data", (bytes) => {
        text += bytes;
      });
      client.on("close", () => resolve(text));
      client.on("error", reject);
    });
    expect(await ended).toBe(0);
    expect(answer).toContain('"host-qmp-quit"');
    expect(() => rmSync(socket)).toThrow("ENOENT");
    expect(log.at(-1)).toBe("2026-11-21 05:12:00.123+0000: shutting down, reason=destroyed");
  });

  test("keeps a log as libvirt does", async () => {
    const { emulator, ended } = await start("-name a -initrd vmlinuz -device virtio-rng-ccw,id=r0 -chardev vc,id=c0");
    port.events.guestStopped("shutdown");
    await emulator.ended;
    await ended;
    expect(log).toEqual([
      "2026-11-21 05:12:00.123+0000: starting up",
      "qemu-system-s390x \\",
      "-name a \\",
      "-initrd vmlinuz \\",
      "-device virtio-rng-ccw,id=r0 \\",
      "-chardev vc,id=c0",
      "-initrd vmlinuz has no effect in a model guest",
      "chardev c0: vc has no effect in a model guest",
      'device virtio-rng-ccw "r0" has no effect in a model guest',
      "2026-11-21 05:12:00.123+0000: shutting down, reason=shutdown",
    ]);
  });
});

describe("a start that fails", () => {
  test.each([
    ["-foo", ["qemu-system-s390x: -foo: invalid option"]],
    ["-device vfio_ap,sysfsdev=/x", ["qemu-system-s390x: -device vfio_ap,sysfsdev=/x: 'vfio_ap' is not a valid device model name"]],
    ["-cpu z14 -device vfio-ap", ["qemu-system-s390x: -device vfio-ap: No 'ap-bus' bus found for device 'vfio-ap'"]],
    ["-accel tcg -device vfio-ap", ["qemu-system-s390x: -device vfio-ap: No 'ap-bus' bus found for device 'vfio-ap'"]],
    ["-machine none -device vfio-ap", ["qemu-system-s390x: -device vfio-ap: No 'ap-bus' bus found for device 'vfio-ap'"]],
    [
      "-accel tcg -cpu max,ap=on",
      [
        "qemu-system-s390x: Some features requested in the CPU model are not available in the current configuration: ap  ",
        "Consider a different accelerator, QEMU, or kernel version",
      ],
    ],
    ["-accel tcg -cpu host", ["qemu-system-s390x: CPU definition requires KVM"]],
    ["-cpu nosuch", ["qemu-system-s390x: unable to find CPU model 'nosuch'"]],
    ["-mon chardev=x", ['qemu-system-s390x: -mon chardev=x: chardev "x" not found']],
    ["-qmp stdio", ["qemu-system-s390x: -qmp stdio: this guest has no stdio"]],
    [
      "-only-migratable -device vfio-ap",
      ["qemu-system-s390x: -device vfio-ap: Device vfio-ap is not migratable, but --only-migratable was specified"],
    ],
    [
      "-device vfio-ap,id=1x",
      [
        "qemu-system-s390x: -device vfio-ap,id=1x: Parameter 'id' expects an identifier",
        "Identifiers consist of letters, digits, '-', '.', '_', starting with a letter.",
      ],
    ],
  ])("%s says why in QEMU's words and leaves nothing", async (text, lines) => {
    expect(await refusal(text)).toEqual(lines);
    expect(port.calls.filter((call) => call === "create")).toHaveLength(port.calls.filter((call) => call === "destroy").length);
    expect(log.slice(-1)).toEqual(["2026-11-21 05:12:00.123+0000: shutting down, reason=failed"]);
  });

  test("for its name leaves the other guest alone", async () => {
    port.takenNames.add("guest1");
    expect(await refusal("-name guest1")).toEqual([
      "qemu-system-s390x: guest name 'guest1' is taken by another guest of this host",
      "Choose another one with -name.",
    ]);
    expect(port.calls).not.toContain("destroy");
  });

  test("outside of a host says what to do", async () => {
    expect(await refusal("-S", null)).toEqual([
      "qemu-system-s390x: failed to initialize kvm: No such file or directory",
      "Start it inside a host: adjunct exec HOST -- qemu-system-s390x ...",
    ]);
  });

  test("takes away the sockets that it made", async () => {
    const socket = join(folder, "qmp");
    await refusal(`-qmp unix:${socket},server=on,wait=off -device nosuch`);
    expect(() => rmSync(socket)).toThrow("ENOENT");
  });
});

describe("-incoming", () => {
  const device = `-cpu host,ap=on -device vfio-ap,sysfsdev=${path}`;

  test("makes a guest that waits, and nothing boots", async () => {
    const { emulator } = await start(`-incoming unix:${folder}/in ${device}`);
    expect(emulator.runState).toBe("inmigrate");
    expect(port.created?.isIncoming).toBe(true);
    expect(port.calls).not.toContain("run");
  });

  test("with a channel as JSON listens there", async () => {
    const channel = { "channel-type": "main", addr: { transport: "socket", type: "unix", path: `${folder}/in` } };
    const { emulator } = await start(`-incoming ${JSON.stringify(channel)}`);
    expect(monitorStateOf(emulator).migration.listeningAddress).toEqual({ type: "unix", path: `${folder}/in` });
  });

  test("with defer listens nowhere until a monitor says where", async () => {
    const { emulator } = await start("-incoming defer");
    const { migration } = monitorStateOf(emulator);
    expect([emulator.runState, migration.listeningAddress]).toEqual(["inmigrate", undefined]);
    await migration.listen({ type: "inet", host: "127.0.0.1", port: 0 }, { exitsOnError: true });
    expect(migration.listeningAddress).toMatchObject({ type: "inet", port: expect.any(Number) });
  });

  test.each([
    ["foo", "unknown migration protocol: foo"],
    ["tcp:nowhere", "error parsing address 'nowhere'"],
    ["unix:/nosuch/x", "Failed to bind socket to /nosuch/x: No such file or directory"],
  ])("%s is refused with its place, and leaves nothing", async (uri, text) => {
    expect(await refusal(`-incoming ${uri}`)).toEqual([`qemu-system-s390x: -incoming ${uri}: ${text}`]);
    expect(port.calls.at(-1)).toBe("destroy");
  });

  test("of a stream that is none ends with status 1, says why and logs that it failed", async () => {
    const { ended } = await start(`-incoming unix:${folder}/in`);
    const socket = connect(`${folder}/in`);
    socket.on("error", () => {});
    socket.write("nonsense");
    expect(await ended).toBe(1);
    const text = "qemu-system-s390x: load of migration failed: Invalid argument: Not a migration stream, magic: 6e6f6e73 != 41444a4d";
    expect(stderr).toEqual([text]);
    expect(log.slice(-3)).toEqual([
      "2026-11-21 05:12:00.123+0000: initiating migration",
      text,
      "2026-11-21 05:12:00.123+0000: shutting down, reason=failed",
    ]);
  });

  test("without credentials that -object names is refused with the file", async () => {
    expect(await refusal(`-object tls-creds-x509,id=tls0,dir=${folder},endpoint=server -incoming defer`)).toEqual([
      `qemu-system-s390x: -object tls-creds-x509,id=tls0,dir=${folder},endpoint=server: ` +
        `Unable to access credentials ${folder}/ca-cert.pem: No such file or directory`,
    ]);
  });
});
