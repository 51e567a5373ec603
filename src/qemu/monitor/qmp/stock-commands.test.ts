import { beforeEach, describe, expect, test } from "vitest";
import { Emulator } from "../../emulator.ts";
import { QemuError } from "../../qemu-error.ts";
import { ToyGuestPort } from "../../toy-guest-port.ts";
import { ToyStockMonitor } from "../../toy-stock-monitor.ts";
import { attachMonitor } from "../attach-monitor.ts";
import { runHumanCommand } from "../hmp/run-human-command.ts";
import { monitorStateOf } from "../monitor-state.ts";
import { ToyChardev } from "../toy-chardev.ts";
import { qmpCommands } from "./command-table.ts";
import { isForStock } from "./stock-commands.ts";

let emulator: Emulator;
let stock: ToyStockMonitor;
let monitor: ToyChardev;

beforeEach(async () => {
  stock = new ToyStockMonitor();
  emulator = new Emulator({ name: "guest1", port: new ToyGuestPort(), nowMs: () => 0, stock });
  await emulator.create();
  await emulator.begin({ isPaused: true });
  monitor = attached("m");
});

function attached(id: string): ToyChardev {
  const chardev = new ToyChardev(id);
  attachMonitor(emulator, chardev, { mode: "control", pretty: false });
  return chardev;
}

async function ask(request: object, chardev = monitor): Promise<unknown> {
  chardev.say(JSON.stringify(request));
  for (;;) {
    const answer = JSON.parse(await chardev.until(/^.*\r\n/)) as Record<string, unknown>;
    if (!("QMP" in answer) && !("event" in answer)) return answer;
  }
}

const negotiate = (): Promise<unknown> => ask({ execute: "qmp_capabilities" });

describe("a command of a real guest's monitor", () => {
  test.each(["query-block", "block_resize", "query-balloon", "screendump", "query-cpus-fast", "object-add", "inject-nmi", "netdev_add"])(
    "%s is its stock QEMU's",
    (name) => {
      expect(isForStock(name, name in qmpCommands)).toBe(true);
    },
  );

  test.each([
    "qmp_capabilities",
    "query-status",
    "stop",
    "cont",
    "quit",
    "system_reset",
    "system_powerdown",
    "device_add",
    "device_del",
    "query-version",
    "query-commands",
    "query-name",
    "query-machines",
    "qom-list",
    "chardev-add",
    "human-monitor-command",
  ])("%s is this front's", (name) => {
    expect(isForStock(name, name in qmpCommands)).toBe(false);
  });

  test("that is the stock QEMU's goes there with its arguments, and its answer comes back with the id", async () => {
    await negotiate();
    stock.answers.set("query-block", [{ device: "virtio0" }]);
    expect(await ask({ execute: "query-block", id: 7 })).toEqual({ return: [{ device: "virtio0" }], id: 7 });
    await ask({ execute: "block_resize", arguments: { device: "d", size: 4096 } });
    expect(stock.commands).toEqual([
      ["query-block", {}],
      ["block_resize", { device: "d", size: 4096 }],
    ]);
  });

  test("that the stock QEMU refuses is refused in its words and with its class", async () => {
    await negotiate();
    stock.answers.set("nosuch", new QemuError("The command nosuch has not been found", "CommandNotFound"));
    expect(await ask({ execute: "nosuch" })).toEqual({
      error: { class: "CommandNotFound", desc: "The command nosuch has not been found" },
    });
  });

  test("that is this front's never reaches the stock QEMU", async () => {
    await negotiate();
    expect(await ask({ execute: "query-status" })).toEqual({ return: { status: "prelaunch", running: false } });
    await ask({ execute: "stop" });
    expect(stock.commands).toEqual([]);
  });

  test.each(["query-block", "query-status", "system_reset", "nosuch", "quit"])(
    "before qmp_capabilities, as %s, is refused as by any QEMU and reaches nobody",
    async (execute) => {
      expect(await ask({ execute })).toEqual({
        error: { class: "CommandNotFound", desc: "Expecting capabilities negotiation with 'qmp_capabilities'" },
      });
      expect(stock.commands).toEqual([]);
      expect(emulator.hasEnded).toBe(false);
    },
  );

  test("that negotiates a second time is refused here", async () => {
    await negotiate();
    expect(await negotiate()).toMatchObject({ error: { desc: "Capabilities negotiation is already complete, command ignored" } });
    expect(stock.commands).toEqual([]);
  });

  test("is found by neither without a stock QEMU", async () => {
    emulator = new Emulator({ name: "guest2", port: new ToyGuestPort(), nowMs: () => 0 });
    monitor = attached("n");
    await negotiate();
    expect(await ask({ execute: "netdev_add" })).toMatchObject({ error: { class: "CommandNotFound" } });
    expect(await ask({ execute: "query-block" })).toEqual({ return: [] });
  });
});

describe("the human monitor of a real guest", () => {
  const human = (line: string): Promise<string> => runHumanCommand({ emulator, state: monitorStateOf(emulator) }, line);

  test("asks the stock QEMU about a line that it does not know", async () => {
    stock.answers.set("human-monitor-command", "virtio0: disk.img\r\n");
    expect(await human("info nosuch -v")).toBe("virtio0: disk.img\r\n");
    expect(stock.commands).toEqual([["human-monitor-command", { "command-line": "info nosuch -v" }]]);
  });

  test("answers what it knows itself", async () => {
    expect(await human("info status")).toBe("VM status: paused (prelaunch)\r\n");
    expect(stock.commands).toEqual([]);
  });

  test("prints why the stock QEMU does not answer", async () => {
    stock.answers.set("human-monitor-command", new QemuError("the QEMU that runs this guest is gone"));
    expect(await human("info nosuch")).toBe("Error: the QEMU that runs this guest is gone\r\n");
  });
});
