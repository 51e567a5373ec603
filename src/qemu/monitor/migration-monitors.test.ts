import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type ToySide, toySide } from "../migration/toy-hosts.ts";
import { attachMonitor } from "./attach-monitor.ts";
import { runHumanCommand } from "./hmp/run-human-command.ts";
import { monitorStateOf } from "./monitor-state.ts";
import { ToyChardev } from "./toy-chardev.ts";

let folder: string;
let source: ToySide;
let target: ToySide;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "adjunct-migration-"));
  source = await toySide();
  target = await toySide({ isIncoming: true });
});

afterEach(async () => {
  for (const { emulator } of [source, target]) await emulator.exclusively(() => emulator.quit("host-signal"));
  rmSync(folder, { recursive: true });
});

/** A QMP monitor that has negotiated; the result asks it. */
async function qmp({ emulator }: ToySide): Promise<(execute: string, values?: object) => Promise<Record<string, unknown>>> {
  const chardev = new ToyChardev("qmp");
  attachMonitor(emulator, chardev, { mode: "control", pretty: false });
  const ask = async (execute: string, values: object = {}): Promise<Record<string, unknown>> => {
    chardev.say(JSON.stringify({ execute, arguments: values }));
    for (;;) {
      const answer = JSON.parse(await chardev.until(/^.*\r\n/));
      if (!("event" in answer) && !("QMP" in answer)) return answer.return ?? answer.error.desc;
    }
  };
  await ask("qmp_capabilities");
  return ask;
}

const human = ({ emulator }: ToySide, line: string): Promise<string> =>
  runHumanCommand({ emulator, state: monitorStateOf(emulator) }, line);

describe("over QMP", () => {
  test("query-migrate tells what QEMU tells at each side, before and after", async () => {
    const [ask, askTarget] = [await qmp(source), await qmp(target)];
    const path = join(folder, "socket");
    expect([await ask("query-migrate"), await askTarget("query-migrate")]).toEqual([{}, {}]);
    expect(await askTarget("query-status")).toEqual({ status: "inmigrate", running: false });
    expect(await askTarget("migrate", { uri: "unix:/x" })).toBe("Guest is waiting for an incoming migration");
    expect(await ask("migrate-incoming", { uri: "unix:/x" })).toBe("'-incoming' was not specified on the command line");
    expect(await askTarget("migrate-incoming", { uri: `unix:${path}` })).toEqual({});
    expect(await askTarget("query-migrate")).toEqual({ "socket-address": [{ path, type: "unix" }] });
    const events = [{ capability: "events", state: true }];
    expect(await askTarget("migrate-set-capabilities", { capabilities: events })).toEqual({});
    expect(await ask("migrate", { channels: [{ "channel-type": "main", addr: { transport: "socket", type: "unix", path } }] })).toEqual({});
    await source.migration.ended;
    await target.migration.ended;
    expect(await ask("query-migrate")).toEqual({
      status: "completed",
      "total-time": expect.any(Number),
      downtime: expect.any(Number),
      "setup-time": expect.any(Number),
      "x-ap-downtime-us": expect.any(Number),
    });
    expect(await askTarget("query-migrate")).toEqual({ status: "completed", "socket-address": [{ path, type: "unix" }] });
    expect(await ask("query-status")).toEqual({ status: "postmigrate", running: false });
  });

  test("capabilities that need another one are refused, and none of the same command is set", async () => {
    const ask = await qmp(source);
    const capabilities = [
      { capability: "xbzrle", state: true },
      { capability: "switchover-ack", state: true },
    ];
    expect(await ask("migrate-set-capabilities", { capabilities })).toBe("Capability 'switchover-ack' requires capability 'return-path'");
    expect(source.migration.capabilities.get("xbzrle")).toBe(false);
  });
});

describe("over the human monitor", () => {
  test("migrate keeps its monitor waiting, and says how it went wrong", async () => {
    const chardev = new ToyChardev("hmp");
    attachMonitor(source.emulator, chardev, { mode: "readline", pretty: false });
    await chardev.until(/\(qemu\) $/);
    chardev.say(`migrate unix:${folder}/nobody\n`);
    const text = await chardev.until(/\(qemu\) $/);
    expect(text).toContain(`Error: Failed to connect to '${folder}/nobody': No such file or directory\r\n(qemu) `);
  });

  test("migrate -d does not, and info migrate tells", async () => {
    expect(await human(target, `migrate_incoming unix:${folder}/socket`)).toBe("");
    expect(await human(target, "info migrate")).toBe(`Sockets: [\r\n\tunix:${folder}/socket\r\n]\r\n`);
    expect(await human(source, "migrate_set_capability pause-before-switchover on")).toBe("");
    expect(await human(source, `migrate -d unix:${folder}/socket`)).toBe("");
    await expect.poll(() => source.migration.status).toBe("pre-switchover");
    expect(await human(source, "info migrate")).toContain("Status: \t\tpre-switchover\r\n");
    expect(await human(source, "migrate_continue device")).toBe("Error: Migration not in expected state: pre-switchover\r\n");
    expect(await human(source, "migrate_continue pre-switchover")).toBe("");
    await source.migration.ended;
    expect(await human(source, "info migrate")).toMatch(/^Status: \t\tcompleted\r\nTime \(ms\): \t\ttotal=\d+, setup=\d+, down=\d+\r\n$/);
    expect(await human(source, "info status")).toBe("VM status: paused (postmigrate)\r\n");
  });

  test("parameters are set and shown with their units", async () => {
    for (const setting of ["max-bandwidth 1", "downtime-limit 2k", "tls-creds tls0", "mode cpr-reboot", "cpu-throttle-tailslow on"]) {
      expect(await human(source, `migrate_set_parameter ${setting}`)).toBe("");
    }
    expect(source.migration.parameters).toMatchObject({ "max-bandwidth": 2 ** 20, "downtime-limit": 2048, "tls-creds": "tls0" });
    const shown = await human(source, "info migrate_parameters");
    expect(shown.split("\r\n").slice(0, 3)).toEqual(["announce-initial: 50 ms", "announce-max: 550 ms", "announce-rounds: 5"]);
    for (const line of [
      "max-bandwidth: 1048576 bytes/second",
      "tls-creds: 'tls0'",
      "tls-hostname: ''",
      "mode: cpr-reboot",
      "downtime-limit: 2048 ms",
    ]) {
      expect(shown).toContain(`\r\n${line}\r\n`);
    }
    expect(shown).toContain("\r\ncpu-throttle-tailslow: on\r\n");
  });

  test.each([
    ["migrate_set_parameter nonsense 1", "Error: invalid parameter value: nonsense\r\n"],
    ["migrate_set_parameter block-bitmap-mapping x", "Error: The block-bitmap-mapping parameter can only be set through QMP\r\n"],
    ["migrate_set_parameter max-bandwidth much", "Error: Invalid size much\r\n"],
    ["migrate_set_parameter multifd-channels x", "Error: Invalid parameter type for 'multifd-channels', expected: int64\r\n"],
    ["migrate_set_parameter multifd-channels 256", "Error: Parameter 'multifd-channels' expects uint8_t\r\n"],
    ["migrate_set_parameter mode sideways", "Error: Parameter 'mode' does not accept value 'sideways'\r\n"],
    ["migrate_set_parameter direct-io maybe", "Error: Parameter 'direct-io' expects 'on' or 'off'\r\n"],
    [
      "migrate_set_parameter downtime-limit 2000001",
      "Error: Parameter 'downtime_limit' expects an integer in the range of 0 to 2000000 milliseconds\r\n",
    ],
    ["migrate_set_capability nonsense on", "Error: invalid parameter value: nonsense\r\n"],
    ["migrate_set_capability events maybe", `Expected 'on' or 'off'\r\nTry "help migrate_set_capability" for more information\r\n`],
  ])("%s is refused", async (line, printed) => {
    const before = JSON.stringify([source.migration.parameters, [...source.migration.capabilities]]);
    expect(await human(source, line)).toBe(printed);
    expect(JSON.stringify([source.migration.parameters, [...source.migration.capabilities]])).toBe(before);
  });

  test("migrate without a terminal that could wait goes on by itself", async () => {
    expect(await human(source, `migrate unix:${folder}/nobody`)).toBe(
      "terminal does not allow synchronous migration, continuing detached\r\n",
    );
    expect((await source.migration.ended)?.status).toBe("failed");
  });
});
