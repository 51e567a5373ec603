import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { Emulator } from "../../emulator.ts";
import { ToyGuestPort } from "../../toy-guest-port.ts";
import { attachMonitor } from "../attach-monitor.ts";
import type { Members, SchemaType } from "../schema/schema-type.ts";
import { ToyChardev } from "../toy-chardev.ts";
import { qmpCommands } from "./command-table.ts";

const mdev = "/sys/devices/vfio_ap/matrix/62177883-f1bb-47f0-914d-32a22e3a8804";

let emulator: Emulator;
let port: ToyGuestPort;
let monitor: ToyChardev;

const attached = (id: string, pretty = false): ToyChardev => {
  const chardev = new ToyChardev(id);
  attachMonitor(emulator, chardev, { mode: "control", pretty });
  return chardev;
};

const line = (chardev: ToyChardev): Promise<string> => chardev.until(/^.*\r\n/).then((text) => text.trimEnd());

async function ask(request: string | object, chardev = monitor): Promise<string> {
  chardev.say(typeof request === "string" ? request : JSON.stringify(request));
  for (;;) {
    const answer = await line(chardev);
    if (!answer.startsWith('{"timestamp"')) return answer;
  }
}

const negotiated = async (id: string): Promise<ToyChardev> => {
  const chardev = attached(id);
  await line(chardev);
  await ask({ execute: "qmp_capabilities" }, chardev);
  return chardev;
};

beforeEach(async () => {
  port = new ToyGuestPort();
  port.mdevs.set(mdev, { isPlugged: true, irqs: 2 });
  emulator = new Emulator({ name: "guest1", port, nowMs: () => 1_700_000_000_123.456 });
  await emulator.create();
  await emulator.begin({ isPaused: true });
  monitor = await negotiated("m");
});

describe("negotiation", () => {
  it("greets with QEMU 10.2.2 and refuses everything before qmp_capabilities", async () => {
    const chardev = attached("n");
    expect(await line(chardev)).toBe(
      '{"QMP": {"version": {"qemu": {"micro": 2, "minor": 2, "major": 10}, "package": ""}, "capabilities": ["oob"]}}',
    );
    const early = '{"error": {"class": "CommandNotFound", "desc": "Expecting capabilities negotiation with \'qmp_capabilities\'"}}';
    expect(await ask({ execute: "query-status" }, chardev)).toBe(early);
    expect(await ask({ execute: "qmp_capabilities" }, chardev)).toBe('{"return": {}}');
    expect(await ask({ execute: "qmp_capabilities" }, chardev)).toBe(
      '{"error": {"class": "CommandNotFound", "desc": "Capabilities negotiation is already complete, command ignored"}}',
    );
  });

  it("sends events only to those that have negotiated, and forgets that a client had when it goes", async () => {
    const other = attached("n");
    await line(other);
    await ask({ execute: "cont" });
    expect(other.written).toBe("");
    await ask({ execute: "qmp_capabilities" }, other);
    await ask({ execute: "stop" });
    expect(await line(other)).toBe('{"timestamp": {"seconds": 1700000000, "microseconds": 123456}, "event": "STOP"}');
    other.hangUp();
    other.written = "";
    other.connect();
    expect(await line(other)).toContain('"QMP"');
    expect(await ask({ execute: "query-name" }, other)).toContain("Expecting capabilities negotiation");
  });

  it("runs commands out of band once that was asked for", async () => {
    expect(await ask({ "exec-oob": "yank", arguments: { instances: [] } })).toContain("QMP input member 'exec-oob' is unexpected");
    const chardev = attached("n");
    await line(chardev);
    await ask({ execute: "qmp_capabilities", arguments: { enable: ["oob"] } }, chardev);
    expect(await ask({ "exec-oob": "yank", arguments: { instances: [] }, id: 1 }, chardev)).toBe('{"return": {}, "id": 1}');
    expect(await ask({ "exec-oob": "query-name" }, chardev)).toContain("The command query-name does not support OOB");
    expect(await ask({ "exec-oob": "yank", execute: "yank" }, chardev)).toMatch(/member '.*' clashes with/);
  });
});

describe("requests", () => {
  it.each<[string | object, string]>([
    ["[]", '{"error": {"class": "GenericError", "desc": "QMP input must be a JSON object"}}'],
    ['{"execute":5}', '{"error": {"class": "GenericError", "desc": "QMP input member \'execute\' must be a string"}}'],
    ['{"foo":1,"id":1}', '{"id": 1, "error": {"class": "GenericError", "desc": "QMP input member \'foo\' is unexpected"}}'],
    ["{}", '{"error": {"class": "GenericError", "desc": "QMP input lacks member \'execute\'"}}'],
    [
      { execute: "query-name", arguments: 5 },
      '{"error": {"class": "GenericError", "desc": "QMP input member \'arguments\' must be an object"}}',
    ],
    [{ execute: "nosuch", id: "q" }, '{"id": "q", "error": {"class": "CommandNotFound", "desc": "The command nosuch has not been found"}}'],
    [{ execute: "toString" }, '{"error": {"class": "CommandNotFound", "desc": "The command toString has not been found"}}'],
    ["bad ", '{"error": {"class": "GenericError", "desc": "JSON parse error, invalid keyword \'bad\'"}}'],
    [{ execute: "query-name", id: { b: 1, a: [] } }, '{"return": {"name": "guest1"}, "id": {"a": [], "b": 1}}'],
    [{ execute: "device_del" }, '{"error": {"class": "GenericError", "desc": "Parameter \'id\' is missing"}}'],
    [
      { execute: "device_del", arguments: { id: 5 } },
      '{"error": {"class": "GenericError", "desc": "Invalid parameter type for \'id\', expected: string"}}',
    ],
    [
      { execute: "device_del", arguments: { id: "x", y: 1 } },
      '{"error": {"class": "GenericError", "desc": "Parameter \'y\' is unexpected"}}',
    ],
    [{ execute: "device_del", arguments: { id: "x" } }, '{"error": {"class": "DeviceNotFound", "desc": "Device \'x\' not found"}}'],
    [{ execute: "query-status" }, '{"return": {"status": "prelaunch", "running": false}}'],
  ])("answers %j as QEMU does", async (request, answer) => {
    expect(await ask(request)).toBe(answer);
  });

  it.each<[string, object, string]>([
    [
      "migrate-set-capabilities",
      { capabilities: [{ capability: "nosuch", state: true }] },
      "Parameter 'capability' does not accept value 'nosuch'",
    ],
    [
      "migrate-set-capabilities",
      { capabilities: [{ capability: "events", state: "x" }] },
      "Invalid parameter type for 'capabilities[0].state', expected: boolean",
    ],
    ["migrate-set-capabilities", { capabilities: {} }, "Invalid parameter type for 'capabilities', expected: array"],
    ["migrate-set-capabilities", { capabilities: [5] }, "Invalid parameter type for 'capabilities[0]', expected: object"],
    [
      "migrate-set-capabilities",
      { capabilities: [{ capability: "events", state: true, x: 1 }] },
      "Parameter 'capabilities[0].x' is unexpected",
    ],
    ["query-cpu-model-expansion", { type: "full", model: { props: {} } }, "Parameter 'model.name' is missing"],
    ["object-add", { "qom-type": "nosuch", id: "x" }, "Parameter 'qom-type' does not accept value 'nosuch'"],
    ["object-add", { "qom-type": "iothread", id: "1x" }, "Parameter 'id' expects an identifier"],
    ["object-add", { "qom-type": "iothread", id: "x", foo: 1 }, "Parameter 'foo' is unexpected"],
    ["object-del", { id: "x" }, "object 'x' not found"],
    ["chardev-add", { id: "c", backend: { type: "nosuch", data: {} } }, "Parameter 'type' does not accept value 'nosuch'"],
    [
      "chardev-add",
      { id: "c", backend: { type: "socket", data: { addr: { type: "unix", data: { path: "/nosuch/x" } } } } },
      "Failed to add chardev 'c': Failed to bind socket to /nosuch/x: No such file or directory",
    ],
    ["chardev-remove", { id: "m" }, "Chardev 'm' is busy"],
    ["migrate", {}, "need either 'uri' or 'channels' argument"],
    ["migrate", { uri: "foo" }, "unknown migration protocol: foo"],
    ["migrate-continue", { state: "pre-switchover" }, "Migration not in expected state: none"],
    ["query-command-line-options", { option: "nosuch" }, "invalid option name: nosuch"],
    ["getfd", { fdname: "f" }, "No file descriptor supplied via SCM_RIGHTS"],
    ["closefd", { fdname: "f" }, "File descriptor named 'f' not found"],
    ["query-balloon", {}, "No balloon device has been activated"],
    ["device_add", {}, "Parameter 'driver' is missing"],
    ["device_add", { driver: 5 }, "'5' is not a valid device model name"],
  ])("refuses %s %j in QEMU's words", async (execute, values, text) => {
    expect(JSON.parse(await ask({ execute, arguments: values })).error.desc).toBe(text);
  });

  it("leaves the guest all its memory, whatever its balloon is asked for", async () => {
    await ask({ execute: "device_add", arguments: { driver: "virtio-balloon-ccw", id: "b" } });
    await ask({ execute: "balloon", arguments: { value: 1 << 20 } });
    const { actual } = JSON.parse(await ask({ execute: "query-balloon" })).return;
    const memory = JSON.parse(await ask({ execute: "query-memory-size-summary" })).return;
    expect(actual).toBe(memory["base-memory"]);
    expect(JSON.parse(await ask({ execute: "balloon", arguments: { value: 0 } })).error.desc).toBe("Parameter 'target' expects a size");
  });

  it.each<[string, object, string]>([
    ["inject-nmi", {}, "A model guest has no processor that an NMI could reach"],
    ["dump-guest-memory", { paging: false, protocol: "file:/tmp/dump" }, "A model guest has no memory that could be dumped"],
  ])("refuses %s, for which a model guest has nothing", async (execute, values, text) => {
    expect(JSON.parse(await ask({ execute, arguments: values })).error).toEqual({ class: "GenericError", desc: text });
  });

  it("answers requests that come in one piece or byte by byte, each in its turn", async () => {
    monitor.say('{"execute":"query-name","id":1}{"execute":"query-name","id":2}\n{"execute":"query-name","id":3}');
    for (const byte of Buffer.from('{"execute":"query-name","id":4}')) monitor.say(Uint8Array.of(byte));
    for (const id of [1, 2, 3, 4]) expect(await line(monitor)).toBe(`{"return": {"name": "guest1"}, "id": ${id}}`);
  });

  it("prints over many lines with pretty=on", async () => {
    const chardev = attached("p", true);
    expect(await chardev.until(/\r\n\}\r\n/)).toContain('{\r\n    "QMP": {\r\n        "version": {\r\n            "qemu": {\r\n');
  });

  it("answers quit after its event, and waits for that before its character device closes", async () => {
    monitor.say('{"execute":"quit"}');
    await emulator.ended;
    await monitor.close();
    expect(monitor.written).toMatch(/^\{"timestamp": .*"event": "SHUTDOWN", .*\}\r\n\{"return": \{\}\}\r\n$/);
  });
});

describe("the guest", () => {
  it("runs, is reset and stops at a shutdown once set-action says so", async () => {
    await ask({ execute: "cont" });
    expect(await ask({ execute: "set-action", arguments: { shutdown: "pause" } })).toBe('{"return": {}}');
    port.events.guestStopped("shutdown");
    expect(await ask({ execute: "query-status" })).toBe('{"return": {"status": "shutdown", "running": false}}');
    expect(await ask({ execute: "cont" })).toContain("Resetting the Virtual Machine is required");
    expect(await ask({ execute: "system_reset" })).toBe('{"return": {}}');
    expect(await ask({ execute: "query-status" })).toBe('{"return": {"status": "prelaunch", "running": false}}');
  });
});

describe("devices", () => {
  it("plugs and unplugs a vfio-ap device, and says so to every monitor", async () => {
    const other = await negotiated("n");
    expect(await ask({ execute: "device_add", arguments: { driver: "vfio-ap", id: "h0", sysfsdev: mdev } })).toBe('{"return": {}}');
    expect(await ask({ execute: "qom-list", arguments: { path: "/machine/peripheral" } })).toContain(
      '"name": "h0", "type": "child<vfio-ap>"',
    );
    expect(await ask({ execute: "query-migrate" })).toBe('{"return": {"blocked-reasons": ["non-migratable device: /1/vfio-ap"]}}');
    expect(await ask({ execute: "migrate", arguments: { uri: "tcp:127.0.0.1:1" } })).toContain(
      "State blocked by non-migratable device '/1/vfio-ap'",
    );
    expect(await ask({ execute: "device_del", arguments: { id: "h0" } })).toBe('{"return": {}}');
    expect(await line(other)).toContain('"event": "DEVICE_DELETED", "data": {"device": "h0", "path": "/machine/peripheral/h0"}}');
  });
});

describe("the schema", () => {
  it("has every command that query-commands lists, and every type that it mentions", async () => {
    const entries = JSON.parse(await ask({ execute: "query-qmp-schema" })).return as Record<string, unknown>[];
    const commands = JSON.parse(await ask({ execute: "query-commands" })).return as { name: string }[];
    const named = new Map(entries.map((entry) => [entry.name as string, entry]));
    expect(named.size).toBe(entries.length);
    for (const { name } of commands) expect(named.get(name)?.["meta-type"]).toBe("command");
    const mentioned = JSON.stringify(entries).matchAll(/"(?:type|arg-type|ret-type|element-type)":"([^"]+)"/g);
    for (const [, type] of mentioned) expect(named.has(type!), type).toBe(true);
  });

  it("has a working command for every name: with no arguments each returns what it declares or refuses in a sentence", async () => {
    const ending = new Set(["quit", "system_reset", "system_powerdown"]);
    for (const execute of Object.keys(qmpCommands).filter((name) => !ending.has(name))) {
      const answer = JSON.parse(await ask({ execute, id: execute }));
      expect(answer.id).toBe(execute);
      if (answer.error) expect(answer.error.desc, execute).not.toContain("internal error");
      else expect(fits(qmpCommands[execute]!.returns, answer.return), execute).toBe(true);
    }
  });
});

describe("foreign input", () => {
  const part = fc.oneof(
    fc.uint8Array({ maxLength: 30 }),
    fc
      .constantFrom("{", "}", "[", "]", '"', "'", ":", ",", "\n", '{"execute":', '"query-name"', '{"execute":"query-status"}', "\\u")
      .map((text) => Buffer.from(text)),
    fc.json().map((text) => Buffer.from(text)),
    fc.constant(Buffer.from('{"execute":"device_add","arguments":{"driver":"vfio-ap"}}')),
  );

  it("never leaves a monitor stuck or dead, nor disturbs another", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.boolean(), part), { maxLength: 12 }), async (parts) => {
        const other = await negotiated(`n${Math.random()}`);
        for (const [isOther, bytes] of parts) (isOther ? other : monitor).say(bytes);
        for (const chardev of [monitor, other]) {
          // What is unfinished is dropped by a byte that is in no text.
          chardev.say(Uint8Array.of(0xff, 0x0a));
          chardev.say('{"execute":"query-target","id":"after"}');
          expect(await chardev.until(/^.*"id": "after".*\r\n/m)).toContain('{"return": {"arch": "s390x"}, "id": "after"}');
          for (const answer of chardev.written.split("\r\n")) expect(answer).toBe("");
        }
      }),
      { numRuns: 100 },
    );
  });

  it("serves the next client whatever the one before left behind", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 6 }), async (parts) => {
        for (const bytes of parts) monitor.say(bytes);
        monitor.hangUp();
        monitor.written = "";
        monitor.connect();
        expect(await line(monitor)).toContain('"QMP"');
        expect(await ask({ execute: "qmp_capabilities" })).toBe('{"return": {}}');
        expect(await ask({ execute: "query-target" })).toBe('{"return": {"arch": "s390x"}}');
      }),
      { numRuns: 100 },
    );
  });

  it("reads no further than its queue while a command runs", async () => {
    let release: () => void = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const held = emulator.exclusively(() => gate);
    for (let count = 0; count < 100; count++) monitor.say('{"execute":"query-target"}');
    expect(monitor.isPaused).toBe(true);
    release();
    await held;
    for (let count = 0; count < 100; count++) expect(await line(monitor)).toBe('{"return": {"arch": "s390x"}}');
  });
});

/** A value is one of a type: members that are declared, each of its type. */
function fits(type: SchemaType, value: unknown): boolean {
  switch (type.kind) {
    case "builtin":
      return type.name === "any" || { str: "string", int: "number", uint64: "number", bool: "boolean" }[type.name] === typeof value;
    case "enum":
      return type.values.includes(value as string);
    case "list":
      return Array.isArray(value) && value.every((element) => fits(type.element, element));
    case "object":
      return membersFit(type.members, value as Record<string, unknown>);
    case "union": {
      const record = value as Record<string, unknown>;
      const { [type.tag]: tag, ...others } = record;
      return membersFit({ ...type.base, ...type.variants[tag as string]!.members }, others);
    }
  }
}

function membersFit(members: Members, value: Record<string, unknown>): boolean {
  const known = Object.keys(value).every((name) => name in members);
  return (
    known &&
    Object.entries(members).every(([name, member]) => {
      if (member.kind === "optional") return value[name] === undefined || fits(member.type, value[name]);
      return fits(member, value[name]);
    })
  );
}
