import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { launcher, type Outcome, printed, projectRoot, threeGuests, useSandbox } from "./sandbox.ts";

const sandbox = useSandbox();
const adjunct = (...words: string[]): Promise<Outcome> => sandbox.current.adjunct(...words);
const cards = async (): Promise<string> => (await adjunct("list", "lpar1", "/sys/devices/ap")).stdout;
const scan = (): Promise<Outcome> => adjunct("write", "lpar1", "/sys/bus/ap/scans", "1");

describe("hw", () => {
  beforeEach(async () => {
    await sandbox.current.up(threeGuests, "--no-mount");
  });

  test("adds a card with every field of its description, and removes it", async () => {
    const options = ["--functions", "0x92800000", "--class", "restricted", "--filtering", "on", "--depth", "3", "--message-limit", "5"];
    expect(await adjunct("hw", "lpar1", "card", "add", "0x2a", "--type", "CEX7C", ...options)).toMatchObject({
      status: 0,
      stdout: "",
      stderr: "",
    });
    await scan();
    const text = async (name: string): Promise<string> => (await adjunct("read", "lpar1", `/sys/devices/ap/card2a/${name}`)).stdout;
    expect([await text("type"), await text("depth"), await text("max_msg_size")]).toEqual(["CEX7C\n", "3\n", "20480\n"]);
    expect(await text("ap_functions")).toBe("0x93400000\n");
    await adjunct("hw", "lpar1", "card", "remove", "42");
    await scan();
    expect(await cards()).not.toContain("card2a");
  });

  test("configures, deconfigures and checkstops", async () => {
    const text = async (name: string): Promise<string> => (await adjunct("read", "lpar1", `/sys/devices/ap/card05/${name}`)).stdout;
    await adjunct("hw", "lpar1", "card", "deconfigure", "5");
    await scan();
    expect(await text("config")).toBe("0\n");
    await adjunct("hw", "lpar1", "card", "configure", "5");
    await adjunct("hw", "lpar1", "card", "checkstop", "5", "on");
    await scan();
    expect([await text("config"), await text("chkstop")]).toEqual(["1\n", "1\n"]);
    await adjunct("hw", "lpar1", "card", "checkstop", "5", "off");
    await scan();
    expect(await text("chkstop")).toBe("0\n");
  });

  test("adds and removes domains", async () => {
    const mask = async (kind: string): Promise<string> => (await adjunct("read", "lpar1", `/sys/bus/ap/ap_${kind}_domain_mask`)).stdout;
    await adjunct("hw", "lpar1", "usage-domain", "add", "0");
    await adjunct("hw", "lpar1", "control-domain", "remove", "4");
    await scan();
    expect([(await mask("usage")).slice(0, 4), (await mask("control")).slice(0, 4)]).toEqual(["0x88", "0x00"]);
    await adjunct("hw", "lpar1", "usage-domain", "remove", "0");
    await adjunct("hw", "lpar1", "control-domain", "add", "4");
    await scan();
    expect([(await mask("usage")).slice(0, 4), (await mask("control")).slice(0, 4)]).toEqual(["0x08", "0x08"]);
  });

  test("prints with --json what has changed as it is now", async () => {
    const hw = async (...words: string[]): Promise<unknown> => JSON.parse((await adjunct("hw", "lpar1", ...words, "--json")).stdout);
    expect(await hw("card", "deconfigure", "5")).toMatchObject({ adapter: { id: 5, name: "CEX5C", isConfigured: false } });
    expect(await hw("card", "remove", "5")).toEqual({ adapter: null });
    expect(await hw("control-domain", "remove", "4")).toEqual({ usageDomains: [4, 0x47, 0xab, 0xff], controlDomains: [0x47, 0xab, 0xff] });
  });

  test("refuses an adapter that is not there", async () => {
    expect(await adjunct("hw", "lpar1", "card", "remove", "9")).toMatchObject({
      status: 1,
      stderr: "adjunct: card remove 9: No such device (ENODEV)\n",
    });
  });

  test("shows the hardware to people and as JSON", async () => {
    expect((await adjunct("hw", "lpar1", "show")).stdout).toContain("05       CEX5C  configured  0x92800000  8      12 KiB\n");
    expect(JSON.parse((await adjunct("hw", "lpar1", "show", "--json")).stdout)).toMatchObject({ usageDomains: [4, 0x47, 0xab, 0xff] });
  });
});

describe("every command", () => {
  test("prints its errors as JSON with --json", async () => {
    await sandbox.current.up(threeGuests, "--no-mount");
    const refused = await adjunct("read", "lpar1", "/sys/nothing", "--json");
    expect(JSON.parse(refused.stderr)).toEqual({
      error: { code: "ENOENT", message: "/sys/nothing: No such file or directory (ENOENT)", subject: "/sys/nothing" },
    });
    expect(JSON.parse((await adjunct("down", "nobody", "--json")).stderr)).toMatchObject({ error: { code: "refused" } });
    expect(JSON.parse((await adjunct("hw", "lpar1", "boom", "--json")).stderr)).toMatchObject({ error: { code: "usage" } });
  });
});

describe("--guest", () => {
  test("names an unknown guest as an unknown host is named, also where nothing is mounted", async () => {
    await sandbox.current.up(threeGuests, "--no-mount");
    const text = "adjunct: no guest guest9; did you mean guest1? running: guest1, guest2, guest3\n";
    expect((await adjunct("read", "lpar1", "/sys/bus/ap/scans", "--guest", "guest9")).stderr).toBe(text);
    expect((await adjunct("exec", "lpar1", "--guest", "guest9", "--", "true")).stderr).toBe(text);
    expect((await adjunct("exec", "lpar1", "--guest", "guest1", "--", "true")).stderr).toContain("runs without a mount");
  });
});

describe("dmesg and events", () => {
  beforeEach(async () => {
    await sandbox.current.up(threeGuests, "--no-mount");
  });

  test("print one JSON object a line with --json", async () => {
    const lines = (await adjunct("dmesg", "lpar1", "--json")).stdout.trim().split("\n");
    expect(lines.map((line) => JSON.parse(line) as unknown)).toContainEqual({
      sequence: expect.any(Number),
      timeMs: expect.any(Number),
      level: "info",
      text: "vfio_ap matrix: MDEV: Registered",
    });
  });

  test("dmesg -w prints each line once and ends with the host", async () => {
    const child = sandbox.current.spawn(process.execPath, [launcher, "dmesg", "lpar1", "-w"]);
    let text = "";
    child.stdout?.on("data", (chunk) => {
      text += String(chunk);
    });
    const ended = new Promise((resolve) => child.once("exit", resolve));
    await printed(child, /Registered/);
    await adjunct("write", "lpar1", "/sys/devices/vfio_ap/matrix/62177883-f1bb-47f0-914d-32a22e3a8804/assign_domain", "0x47");
    await adjunct("down", "lpar1");
    expect(await ended).toBe(0);
    expect(text.match(/MDEV: Registered/g)).toHaveLength(1);
    expect(text).toContain("already assigned");
  });
});

describe("replay", () => {
  const trace = join(projectRoot, "test/traces/7.2/three-guests.jsonl");

  test("prints steps and mismatches, and ends with 1 when there is one", async (context) => {
    const { status, stdout, stderr } = await adjunct("replay", trace);
    if (stderr.includes("cannot be read")) context.skip("the trace is not there");
    expect({ status, end: stdout.trim().split("\n").at(-1) }).toEqual({
      status: 0,
      end: expect.stringMatching(/^\d+ steps, 0 mismatches$/),
    });
    const wrong = sandbox.current.file(
      "wrong.jsonl",
      '{"kernel":"7.2","cmdline":""}\n{"read":"/sys/bus/ap/config_time","data":"31\\n"}\n{"read":"/sys/bus/ap/config_time","data":"30\\n"}\n',
    );
    const mismatch = await adjunct("replay", wrong);
    expect(mismatch.status).toBe(1);
    expect(mismatch.stdout).toMatch(/^.*wrong\.jsonl:2: .*31.*30.*\n2 steps, 1 mismatches\n$/);
  });

  test("takes every trace below a folder, in order", async () => {
    const start = '{"kernel":"7.2","cmdline":""}\n';
    for (const name of ["traces/b.jsonl", "traces/a/one.jsonl", "traces/notes.txt"]) sandbox.current.file(name, start);
    const { status, stdout } = await adjunct("replay", join(sandbox.current.folder, "traces"), "--json");
    expect(status).toBe(0);
    const files = stdout
      .trim()
      .split("\n")
      .map((line) => (JSON.parse(line) as { file: string }).file);
    expect(files.map((file) => file.slice(sandbox.current.folder.length))).toEqual(["/traces/a/one.jsonl", "/traces/b.jsonl"]);
    expect((await adjunct("replay", "test/cli")).stderr).toBe("adjunct: test/cli: no trace (*.jsonl) is below it\n");
  });

  test("refuses a file that is no trace", async () => {
    expect((await adjunct("replay", threeGuests)).status).toBe(1);
    expect((await adjunct("replay", "/no/such/trace")).stderr).toBe(
      "adjunct: /no/such/trace: cannot be read: No such file or directory (ENOENT)\n",
    );
  });
});

describe("doctor", () => {
  test("names everything a host needs, and a remedy for what is missing", async () => {
    const { stdout } = await adjunct("doctor", "--json");
    const findings = JSON.parse(stdout) as { what: string; isPresent: boolean; remedy?: string }[];
    expect(findings.map(({ what }) => what)).toEqual(
      expect.arrayContaining(["Node", "FUSE", "namespaces", "unshare", "nsenter", "mdevctl", "seccomp", "locked memory"]),
    );
    for (const { isPresent, remedy } of findings) if (!isPresent) expect(remedy).not.toBe("");
  });

  test("says without programs and without FUSE what is missing", async () => {
    sandbox.current.environment.PATH = sandbox.current.folder;
    const { status, stdout } = await adjunct("doctor");
    expect(status).toBe(1);
    expect(stdout).toMatch(/MISSING {2}namespaces: /);
  });
});
