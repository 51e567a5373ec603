import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, watch, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { machineCodename, writeSourcesOf } from "../../src/host/tools/apt-sources.ts";
import { projectRoot } from "../cli/sandbox.ts";
import { frontProgram } from "./front-program.ts";

/** Debian's source package of QEMU, kept between runs. */
const cache = process.env.ADJUNCT_QEMU_SOURCE_DIR ?? join(projectRoot, "node_modules/.cache/adjunct-qemu-source");
const python = "/usr/bin/python3";

/** The folder with the package `qemu.qmp` of QEMU's own source; a text says why there is none. */
function pythonFolder(): { readonly folder: string } | { readonly reason: string } {
  const unpacked = (): string | undefined =>
    existsSync(cache)
      ? readdirSync(cache)
          .map((name) => join(cache, name, "python"))
          .find((path) => existsSync(join(path, "qemu/qmp/qmp_shell.py")))
      : undefined;
  try {
    if (unpacked() === undefined) download();
  } catch (error) {
    return { reason: `QEMU's source package cannot be had: ${(error as Error).message.split("\n")[0]}` };
  }
  const folder = unpacked();
  return folder === undefined ? { reason: "QEMU's source package has no qmp-shell" } : { folder };
}

function download(): void {
  mkdirSync(join(cache, "lists/partial"), { recursive: true });
  const sources = join(cache, "sources");
  rmSync(sources, { recursive: true, force: true });
  writeSourcesOf(machineCodename(), sources);
  for (const name of readdirSync(sources)) {
    const text = readFileSync(join(sources, name), "utf8");
    writeFileSync(join(sources, name), text.replace(/^Types:.*$/gm, "Types: deb-src").replace(/^deb /gm, "deb-src "));
  }
  const options = {
    "Dir::Etc::SourceList": "/dev/null",
    "Dir::Etc::SourceParts": sources,
    "Dir::State::lists": join(cache, "lists"),
    "APT::Sandbox::User": "",
  };
  const apt = (...words: string[]): void => {
    const settings = Object.entries(options).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
    execFileSync("apt-get", ["-qq", ...settings, ...words], { cwd: cache, stdio: ["ignore", "ignore", "pipe"], timeout: 240_000 });
  };
  apt("update");
  apt("source", "--download-only", "qemu");
  const archive = readdirSync(cache).find((name) => /\.orig\.tar\.\w+$/.test(name)) ?? "";
  execFileSync("tar", ["-xf", archive, "--wildcards", "*/python/qemu/qmp/*"], { cwd: cache });
  for (const name of readdirSync(cache)) if (/\.tar\.\w+$/.test(name)) rmSync(join(cache, name));
}

describe("qmp-shell", () => {
  let found: ReturnType<typeof pythonFolder>;
  let folder: string;
  let front: ChildProcess;

  beforeAll(() => {
    found = pythonFolder();
  }, 300_000);

  beforeEach(async (context) => {
    if ("reason" in found) return context.skip(found.reason);
    if (!existsSync(python)) return context.skip("python3 is not installed");
    folder = mkdtempSync("/tmp/adjunct-qmp-shell-");
    const program = frontProgram(join(folder, "front"));
    const appeared = new Promise<void>((resolve) => {
      const watcher = watch(folder, (_event, name) => {
        if (name !== "q") return;
        watcher.close();
        resolve();
      });
    });
    // With -H qmp-shell names a processor, which an empty machine has only by -cpu.
    front = spawn(program, ["-machine", "none", "-cpu", "z900", "-display", "none", "-qmp", `unix:${folder}/q,server=on,wait=off`], {
      stdio: "inherit",
    });
    await appeared;
  });

  afterEach(() => {
    front?.kill();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  const type = (lines: string[], ...options: string[]): string[] => {
    const environment = { ...process.env, PYTHONPATH: "folder" in found ? found.folder : "" };
    const input = `${lines.join("\n")}\n`;
    const printed = execFileSync(python, ["-m", "qemu.qmp.qmp_shell", ...options, join(folder, "q")], {
      input,
      env: environment,
      timeout: 60_000,
    });
    return String(printed).replaceAll("\r", "").split("\n");
  };

  it("connects, and gets QEMU's answers to commands, the documents' included", () => {
    const lines = type([
      "query-status",
      "stop",
      "query-status",
      "device_del id=hostdev0",
      "device-del id=hostdev0",
      "device_add driver=vfio-ap id=h0",
    ]);
    expect(lines).toContain("Connected to QEMU 10.2.2");
    const answers = lines.filter((line) => line.startsWith("(QEMU) {")).map((line) => line.slice("(QEMU) ".length));
    expect(answers).toEqual([
      '{"return": {"status": "running", "running": true}}',
      '{"return": {}}',
      '{"return": {"status": "paused", "running": false}}',
      '{"error": {"class": "DeviceNotFound", "desc": "Device \'hostdev0\' not found"}}',
      '{"error": {"class": "CommandNotFound", "desc": "The command device-del has not been found"}}',
      '{"error": {"class": "GenericError", "desc": "No \'ap-bus\' bus found for device \'vfio-ap\'"}}',
    ]);
  });

  it("drives the human monitor, and ends the emulator", async () => {
    const text = type(["info version", "device-del id=hostdev0"], "-H").join("\n");
    expect(text).toContain("10.2.2");
    expect(text).toContain("unknown command: 'device-del'");
    const ended = new Promise((resolve) => front.once("exit", resolve));
    type(["quit"]);
    expect(await ended).toBe(0);
    expect(existsSync(join(folder, "q"))).toBe(false);
  });
});
