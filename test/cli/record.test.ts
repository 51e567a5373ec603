import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { launcher, needsMount, projectRoot, threeGuests, useSandbox } from "./sandbox.ts";

const sandbox = useSandbox();

/** Attributes that count what happened, or say what a queue does at the moment. */
const passing = /\/(request_count|requestq_count|pendingq_count|load|scans|bindings_complete_count|reset)$/;

interface Recorded {
  readonly machine: { readonly adapters: Record<string, Record<string, unknown>> };
  readonly attributes: Record<string, string | string[]>;
  readonly mdevs: Record<string, unknown>;
}

/** Every readable attribute and every link of a host, by path. */
async function treeOf(name: string): Promise<Map<string, string>> {
  const text = `cd /sys && find . -path ./devices/system -prune -o -type f -perm /444 -print | while read -r f; do printf '%s\\0' "$f"; cat "$f" 2>&1; printf '\\0'; done; find . -path ./devices/system -prune -o -type l -printf '%p\\0-> %l\\0'`;
  const { stdout } = await sandbox.current.adjunct("exec", name, "--", "sh", "-c", text);
  const parts = stdout.split("\0");
  const tree = new Map<string, string>();
  for (let index = 0; index + 1 < parts.length; index += 2) if (!passing.test(parts[index]!)) tree.set(parts[index]!, parts[index + 1]!);
  return tree;
}

async function recordOf(name: string, as: string, ...options: string[]): Promise<string> {
  const { status, stdout, stderr } = await sandbox.current.adjunct(
    "exec",
    name,
    "--",
    process.execPath,
    launcher,
    "record",
    "--name",
    as,
    ...options,
  );
  if (status !== 0) throw new Error(stderr);
  return stdout;
}

async function recordByShell(name: string, as: string, ...options: string[]): Promise<string> {
  const script = join(projectRoot, "scripts/record-ap.sh");
  const { status, stdout, stderr } = await sandbox.current.adjunct("exec", name, "--", "sh", script, "--name", as, ...options);
  if (status !== 0) throw new Error(stderr);
  return stdout;
}

const secrets = `name: secret
machine:
  max-domain: 255
  adapters: { 0: { type: CEX8C }, 1: { type: CEX8P, depth: 4, filtering: on }, 2: { type: CEX7A, class: restricted }, 3: { type: CEX3C } }
  usage-domains: [0, 1, 200]
  control-domains: [0, 1, 2, 3]
attributes:
  /sys/devices/ap/card00/serialnr: 93AABEFF
  /sys/devices/ap/card01/serialnr: 93AADEADBEEF0001
  /sys/devices/ap/card01/op_modes: FIPS2009 BSI2009
  /sys/devices/ap/card00/00.0000/mkvps: "AES NEW: empty 0x0000000000000000\\nAES CUR: valid 0x1234567890abcdef\\n"
  /sys/devices/ap/card00/00.0001/mkvps: "AES NEW: empty 0x0000000000000000\\nAES CUR: valid 0x1234567890abcdef\\nAES OLD: valid 0xfedcba9876543210\\n"
  /sys/devices/ap/card02/02.0001/driver_override: odd"name\\x
  /sys/bus/ap/drivers/cex4queue/unbind: ["00.00c8", "02.0000"]
`.replace("filtering: on", "filtering: true");

const older = (kernel: string): string => `name: older
kernel: "${kernel}"
cmdline: ap.apmask=0xffff ap.poll_thread=0
machine:
  facilities: [ap, qci, apft, apxa]
  adapters: { 0: { type: CEX5C }, 1: { type: CEX4A, depth: 4 }, 16: { type: CEX6P } }
  usage-domains: [0, 1, 17]
mdevs:
  00000000-0000-4000-8000-000000000002: { adapters: [16], domains: [0, 1], control-domains: [3] }
  00000000-0000-4000-8000-000000000001: { domains: [17] }
guests: { one: { mdev: 00000000-0000-4000-8000-000000000002 } }
`;

describe("record", () => {
  needsMount();

  test("writes a file whose host has every attribute of the recorded one, counters left out", async () => {
    await sandbox.current.up(threeGuests);
    const hw = (...words: string[]): Promise<unknown> => sandbox.current.adjunct("hw", "lpar1", ...words);
    await hw("card", "add", "7", "--type", "CEX8P");
    await hw("card", "add", "9", "--type", "CEX7C", "--filtering", "on", "--depth", "3", "--message-limit", "5");
    await hw("card", "add", "10", "--type", "CEX6A");
    await hw("usage-domain", "remove", "0xff");
    await sandbox.current.adjunct("write", "lpar1", "/sys/bus/ap/scans", "1");
    await hw("card", "deconfigure", "9");
    await hw("card", "checkstop", "10", "on");
    for (const [path, text] of [
      ["/sys/bus/ap/config_time", "60"],
      ["/sys/bus/ap/poll_timeout", "1000"],
      ["/sys/bus/ap/scans", "1"],
      ["/sys/devices/ap/card07/online", "0"],
    ]) {
      expect(await sandbox.current.adjunct("write", "lpar1", path!, text!)).toMatchObject({ status: 0 });
    }
    const file = sandbox.current.file("copy.yaml", await recordOf("lpar1", "copy"));
    await sandbox.current.up(file);
    const [original, copy] = [await treeOf("lpar1"), await treeOf("copy")];
    expect(original.size).toBeGreaterThan(300);
    expect(copy).toEqual(original);
  });

  test.each(["7.2-migration", "7.2", "6.12", "6.1", "6.0", "4.20"])("finds out what a host that imitates %s has", async (kernel) => {
    await sandbox.current.up(sandbox.current.file("older.yaml", older(kernel)));
    const recording = await recordOf("older", "copy");
    expect(parse(recording).kernel).toBe(kernel);
    await sandbox.current.up(sandbox.current.file("copy.yaml", recording));
    const [original, copy] = [await treeOf("older"), await treeOf("copy")];
    // Without the status of queues nothing shows which mediated device a guest has: only their number would.
    if (kernel === "6.0" || kernel === "4.20") for (const tree of [original, copy]) tree.delete("./module/vfio_ap/refcnt");
    expect(copy).toEqual(original);
  });

  test("writes what only real adapters have, overrides and bindings by hand", async () => {
    await sandbox.current.up(sandbox.current.file("secret.yaml", secrets));
    const recording = await recordOf("secret", "copy");
    await sandbox.current.up(sandbox.current.file("copy.yaml", recording));
    expect(await treeOf("copy")).toEqual(await treeOf("secret"));
  });

  test("masks serial numbers and patterns, and keeps which patterns are the same", async () => {
    await sandbox.current.up(sandbox.current.file("secret.yaml", secrets));
    const recording = await recordOf("secret", "copy", "--mask-secrets");
    for (const secret of ["93AA", "1234567890abcdef", "fedcba9876543210"]) expect(recording).not.toContain(secret);
    const { attributes } = parse(recording) as Recorded;
    expect(attributes["/sys/devices/ap/card00/serialnr"]).toBe("MASKED00\n");
    expect(attributes["/sys/devices/ap/card01/serialnr"]).toBe("MASKED0100000000\n");
    expect(attributes["/sys/devices/ap/card00/00.0000/mkvps"]).toBe(
      "AES NEW: empty 0x0000000000000000\nAES CUR: valid 0x0000000000000001\n",
    );
    expect(attributes["/sys/devices/ap/card00/00.0001/mkvps"]).toContain(
      "AES CUR: valid 0x0000000000000001\nAES OLD: valid 0x0000000000000002\n",
    );
  });

  test.each([
    ["the three guests", () => threeGuests, []],
    ["secrets", () => sandbox.current.file("secret.yaml", secrets), []],
    ["masked secrets", () => sandbox.current.file("secret.yaml", secrets), ["--mask-secrets"]],
    ["6.12", () => sandbox.current.file("older.yaml", older("6.12")), []],
    ["6.1", () => sandbox.current.file("older.yaml", older("6.1")), []],
    ["4.20", () => sandbox.current.file("older.yaml", older("4.20")), []],
  ])("and the shell script print the same for %s", async (_, file, options) => {
    const { name } = await sandbox.current.up(file());
    expect(await recordByShell(name, "copy", ...options)).toBe(await recordOf(name, "copy", ...options));
  });

  test("of a machine without an AP bus says so", async () => {
    const empty = join(sandbox.current.folder, "sys");
    sandbox.current.environment.SYSFS_ROOT = empty;
    expect(await sandbox.current.adjunct("record")).toMatchObject({
      status: 1,
      stdout: "",
      stderr: `adjunct: ${empty}/bus/ap is missing: this Linux has no AP bus\n`,
    });
    expect(await sandbox.current.run("sh", [join(projectRoot, "scripts/record-ap.sh")])).toMatchObject({ status: 1, stdout: "" });
  });
});
