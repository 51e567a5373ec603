import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { mountsBelow } from "../../src/host/mount-table.ts";
import {
  isRunning,
  launcher,
  needsMount,
  type Outcome,
  outcomeOf,
  printed,
  projectRoot,
  threeGuests,
  until,
  useSandbox,
} from "./sandbox.ts";

const sandbox = useSandbox();

describe("a host over its control socket", () => {
  test("comes up detached, is listed, answers and goes down without leaving anything but its state folder", async () => {
    const { name, pid } = await sandbox.current.up(threeGuests, "--no-mount");
    const hosts = JSON.parse((await sandbox.current.adjunct("hosts", "--json")).stdout) as { name: string; pid: number }[];
    expect(hosts).toMatchObject([{ name: "lpar1", pid, isMounted: false }]);
    expect((await sandbox.current.adjunct("read", name, "/sys/bus/ap/ap_max_domain_id")).stdout).toBe("255\n");
    expect(await sandbox.current.adjunct("down", name)).toMatchObject({ status: 0, stdout: "lpar1 is down\n" });
    expect(isRunning(pid)).toBe(false);
    expect(readdirSync(sandbox.current.runFolder).sort()).toEqual(["lpar1.lock"]);
    expect((await sandbox.current.adjunct("hosts")).stdout).toContain("no host is running");
  });

  test("of a name that runs already is refused", async () => {
    await sandbox.current.up(threeGuests, "--no-mount");
    const second = await sandbox.current.adjunct("up", threeGuests, "--no-mount");
    expect(second).toMatchObject({ status: 1, stdout: "" });
    expect(second.stderr).toBe(
      "adjunct: a host named lpar1 is running already: adjunct down lpar1 ends it, or give this one another name\n",
    );
    expect((await sandbox.current.adjunct("up", threeGuests, "--no-mount", "--detach")).stderr).toContain("is running already");
  });

  test("runs beside one of another name with a tree of its own", async () => {
    await sandbox.current.up(threeGuests, "--no-mount");
    await sandbox.current.up(sandbox.current.file("b.yaml", "name: other\n"), "--no-mount");
    expect((await sandbox.current.adjunct("list", "other", "/sys/bus/ap/devices")).stdout).toBe("");
    expect((await sandbox.current.adjunct("list", "lpar1", "/sys/bus/ap/devices")).stdout).toContain("card05");
  });

  test("that is unknown is refused with the nearest name", async () => {
    expect((await sandbox.current.adjunct("down", "lpar1")).stderr).toBe(
      "adjunct: no host lpar1: none is running, adjunct up FILE starts one\n",
    );
    await sandbox.current.up(threeGuests, "--no-mount");
    expect(await sandbox.current.adjunct("dmesg", "lpar2")).toMatchObject({
      status: 1,
      stderr: "adjunct: no host lpar2; did you mean lpar1? running: lpar1\n",
    });
  });

  test("that has ended keeps the logs of its guests; one that never was has none, and is unknown", async () => {
    expect(await sandbox.current.adjunct("log", "lpar1", "guest1")).toEqual({
      status: 1,
      signal: null,
      stdout: "",
      stderr: "adjunct: no host lpar1: none is running, adjunct up FILE starts one\n",
    });
    sandbox.current.file("state/lpar1/guests/guest1/log", "what its emulator said\n");
    expect(await sandbox.current.adjunct("log", "lpar1", "guest1")).toMatchObject({ status: 0, stdout: "what its emulator said\n" });
    expect((await sandbox.current.adjunct("log", "lpar1", "guest2")).stderr).toContain("no host lpar1");
  });

  test("whose process was killed is said to be dead and cleaned up, and its name is free again", async () => {
    const { pid } = await sandbox.current.up(threeGuests, "--no-mount");
    process.kill(pid, "SIGKILL");
    await until(() => !isRunning(pid));
    expect((await sandbox.current.adjunct("read", "lpar1", "/sys/bus/ap/apmask")).stderr).toContain(
      "host lpar1 is dead, its process was killed",
    );
    expect(existsSync(join(sandbox.current.runFolder, "lpar1"))).toBe(false);
    await sandbox.current.up(threeGuests, "--no-mount");
  });

  test("keeps its folders to its user", async () => {
    await sandbox.current.up(threeGuests, "--no-mount");
    const mode = (path: string): string => (statSync(path).mode & 0o777).toString(8);
    expect(mode(sandbox.current.runFolder)).toBe("700");
    expect(mode(sandbox.current.stateFolder)).toBe("700");
    expect(mode(join(sandbox.current.runFolder, "lpar1"))).toBe("700");
    expect(mode(join(sandbox.current.stateFolder, "lpar1"))).toBe("700");
    expect(mode(join(sandbox.current.runFolder, "lpar1/control.sock"))).toBe("600");
  });

  test("gives no folder and no programs without a mount, and says so", async () => {
    await sandbox.current.up(threeGuests, "--no-mount");
    expect((await sandbox.current.adjunct("exec", "lpar1", "--", "true")).stderr).toContain("host lpar1 runs without a mount");
    expect((await sandbox.current.adjunct("root", "lpar1")).stderr).toContain("host lpar1 runs without a mount");
  });

  test("has a prompt with cat, echo, ls and cd without a mount", async () => {
    await sandbox.current.up(threeGuests, "--no-mount");
    const input = "cd /sys/bus/ap\ncat config_time\necho 7 > config_time\ncat config_time\necho 1 > config_time\nls drivers\nexit\n";
    const { stdout, stderr } = await sandbox.current.run(process.execPath, [launcher, "shell", "lpar1"], input);
    expect(stdout.replaceAll(/lpar1:\S*# /g, "")).toBe("30\n7\ndrwxr-xr-x cex4card\ndrwxr-xr-x cex4queue\ndrwxr-xr-x vfio_ap\n");
    expect(stderr).toContain("echo: config_time: Invalid argument");
  });

  test("has a prompt with pwd, lsmod, dmesg and help, that ends with the status it is told", async () => {
    await sandbox.current.up(threeGuests, "--no-mount");
    const shell = (input: string): Promise<Outcome> => sandbox.current.run(process.execPath, [launcher, "shell", "lpar1"], input);
    const { stdout, status } = await shell("cd bus\npwd\nlsmod\ndmesg\nhelp\nexit 4\ncat nothing\n");
    expect(status).toBe(4);
    expect(stdout).toMatch(/\/sys\/bus\nlpar1:.*Module +Size +Used by\nvfio_ap +\d+ +3\n/);
    expect(stdout).toContain("] vfio_ap matrix: MDEV: Registered\n");
    expect(stdout).toContain("exit [STATUS]\n");
    expect((await shell("cat nothing\nexit\n")).status).toBe(1);
    expect(await shell("boom\n")).toMatchObject({ status: 127, stderr: expect.stringContaining("boom: here is only cat PATH") });
  });

  test("lists a folder as ls -l does, and as objects with --json", async () => {
    await sandbox.current.up(threeGuests, "--no-mount");
    const list = (...words: string[]): Promise<Outcome> => sandbox.current.adjunct("list", "lpar1", ...words);
    expect((await list("/sys/bus/ap/devices")).stdout).toMatch(/^lrwxrwxrwx card05 -> \.\.\/\.\.\/\.\.\/devices\/ap\/card05$/m);
    expect(JSON.parse((await list("/sys/bus/ap/drivers", "--json")).stdout)).toContainEqual({ name: "vfio_ap", mode: "drwxr-xr-x" });
  });

  test("whose file has mistakes is not started", async () => {
    const file = sandbox.current.file("bad.yaml", "name: lpar1\nmachine:\n  adapters: { 5: { type: CEX5Q } }\n");
    const outcome = await sandbox.current.adjunct("up", file, "--no-mount");
    expect(outcome).toMatchObject({
      status: 1,
      stderr: `${file}:3:26: machine.adapters.5.type: expected a card type such as CEX5C, got "CEX5Q"\n`,
    });
  });

  test("that its kernel refuses names the step that failed", async () => {
    const file = sandbox.current.file(
      "shared.yaml",
      `name: lpar1
machine: { adapters: { 5: { type: CEX5C } }, usage-domains: [4] }
mdevs: { 62177883-f1bb-47f0-914d-32a22e3a8804: { adapters: [5], domains: [4] } }
`,
    );
    const { status, stderr } = await sandbox.current.adjunct("up", file, "--no-mount", "--detach");
    expect(status).toBe(1);
    expect(stderr).toContain("assign_domain: Cannot assign requested address (EADDRNOTAVAIL)");
    expect(existsSync(join(sandbox.current.runFolder, "lpar1"))).toBe(false);
  });
});

describe("wrong usage", () => {
  test.each([
    ["an unknown command", ["upp"]],
    ["a missing argument", ["down"]],
    ["an unknown option", ["hosts", "--all-of-them"]],
    ["hardware that there is not", ["hw", "lpar1", "card", "explode", "5"]],
    ["a number out of range", ["hw", "lpar1", "card", "remove", "256"]],
    ["a card type that there is not", ["hw", "lpar1", "card", "add", "5", "--type", "CEX9C"]],
    ["a level that there is not", ["dmesg", "lpar1", "-l", "loud"]],
  ])("%s ends with status 2 and a reason on stderr", async (_, words) => {
    const { status, stdout, stderr } = await sandbox.current.adjunct(...words);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).not.toBe("");
  });

  test("--version prints the package's", async () => {
    const { version } = JSON.parse(readFileSync(join(projectRoot, "package.json"), "utf8")) as { version: string };
    expect(await sandbox.current.adjunct("--version")).toMatchObject({ status: 0, stdout: `${version}\n` });
  });

  test("help is no error and names every command", async () => {
    const { status, stdout } = await sandbox.current.adjunct("--help");
    expect(status).toBe(0);
    for (const name of ["up", "down", "hosts", "exec", "shell", "root", "hw", "dmesg", "events", "record", "replay", "doctor"]) {
      expect(stdout).toMatch(new RegExp(`^  ${name} `, "m"));
    }
  });
});

describe("a mounted host", () => {
  needsMount();

  test("runs in the foreground until Ctrl-C and leaves nothing", async () => {
    const child = sandbox.current.spawn(process.execPath, [launcher, "up", threeGuests]);
    const outcome = outcomeOf(child);
    const text = await printed(child, /down lpar1/);
    expect(text).toMatch(/^05\.0004 +CEX5C +CCA-Coproc +in use +vfio_ap$/m);
    expect(text).toMatch(/^guest1 +62177883-f1bb-47f0-914d-32a22e3a8804 +05\.0004 05\.00ab 06\.0004 06\.00ab$/m);
    expect(mountsBelow(sandbox.current.folder)).toHaveLength(1);
    child.kill("SIGINT");
    expect(await outcome).toMatchObject({ status: 0 });
    expect(mountsBelow(sandbox.current.folder)).toEqual([]);
    expect(existsSync(join(sandbox.current.runFolder, "lpar1"))).toBe(false);
  });

  test("shows its tree at its mount, and over root as the sys of another root", async () => {
    const { mount } = await sandbox.current.up(threeGuests);
    const textAt = async (path: string): Promise<string> => (await sandbox.current.run("cat", [path])).stdout;
    expect(await textAt(join(mount, "host/bus/ap/ap_max_domain_id"))).toBe("255\n");
    const { stdout } = await sandbox.current.adjunct("root", "lpar1");
    expect(await textAt(join(stdout.trim(), "sys/bus/ap/ap_max_domain_id"))).toBe("255\n");
    expect(readdirSync(join(stdout.trim(), "etc/mdevctl.d"))).toEqual(["scripts.d"]);
  });

  test("leaves no mount, socket or process behind its SIGKILL that the next command does not clean", async () => {
    const { pid } = await sandbox.current.up(threeGuests);
    const { namespacePid } = JSON.parse(readFileSync(join(sandbox.current.runFolder, "lpar1/host.json"), "utf8")) as {
      namespacePid: number;
    };
    process.kill(pid, "SIGKILL");
    await until(() => !isRunning(pid) && !isRunning(namespacePid));
    expect((await sandbox.current.adjunct("hosts")).stdout).toContain("no host is running");
    expect(mountsBelow(sandbox.current.folder)).toEqual([]);
    await sandbox.current.up(threeGuests);
    expect((await sandbox.current.adjunct("exec", "lpar1", "--", "cat", "/sys/bus/ap/ap_max_domain_id")).stdout).toBe("255\n");
  });
});
