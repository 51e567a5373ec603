import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { connectControl } from "../../src/host/control-client.ts";
import { type Outcome, useSandbox } from "./sandbox.ts";

const sandbox = useSandbox();
const adjunct = (...words: string[]): Promise<Outcome> => sandbox.current.adjunct(...words);
const key = (...words: string[]): Promise<Outcome> => adjunct("hw", "lpar1", "key", ...words);

const configuration = `name: lpar1
machine:
  adapters: { 5: { type: CEX8C }, 6: { type: CEX8A }, 7: { type: CEX8P } }
  usage-domains: [4]
  control-domains: [4, 71]
`;
const parts = ["a1".repeat(32), "5c".repeat(32)] as const;
const file = (): string => sandbox.current.file("lpar1.yaml", configuration);
const up = (): Promise<unknown> => sandbox.current.up(file(), "--no-mount");
const secrets = (): string => join(sandbox.current.stateFolder, "lpar1/master-keys");

describe("adjunct hw HOST key", () => {
  test("loads a key from parts and sets it, and shows patterns that outlive the host", async () => {
    await up();
    expect((await key("load", "5", "71", "aes", "--part", parts[0], "--part", parts[1])).stdout).toMatch(
      /^QUEUE +KEY +NEW +CURRENT +OLD\n05\.0047 +aes +full 0x[0-9a-f]{16} +invalid +invalid\n$/,
    );
    expect((await key("set", "5", "0x47", "aes")).stdout).toMatch(/\n05\.0047 +aes +empty +valid 0x[0-9a-f]{16} +invalid\n$/);
    await key("load", "7", "4", "ep11", "--set");
    const before = (await key("show")).stdout;
    expect(before.match(/valid 0x/g)).toHaveLength(2);
    expect(statSync(secrets()).mode & 0o777).toBe(0o600);
    expect(statSync(join(secrets(), "..")).mode & 0o777).toBe(0o700);
    await adjunct("down", "lpar1");
    await up();
    expect((await key("show")).stdout).toBe(before);
  });

  test("has every change in the state folder before it says so", async () => {
    const { pid } = await sandbox.current.up(file(), "--no-mount");
    await key("load", "5", "4", "aes", "--set");
    process.kill(pid, "SIGKILL");
    await adjunct("hosts");
    await up();
    expect((await key("show", "5", "4")).stdout).toMatch(/05\.0004 +aes +empty +valid 0x/);
  });

  test("loads the test keys everywhere, and zeroizes a domain, with --json as data", async () => {
    await up();
    const shown = JSON.parse((await key("load-test", "--json")).stdout) as { queue: string; kind: string; current: { state: string } }[];
    expect(shown.map(({ queue, kind, current }) => `${queue} ${kind} ${current.state}`)).toEqual([
      ...["05.0004", "05.0047"].flatMap((queue) => ["aes", "apka", "asym"].map((kind) => `${queue} ${kind} valid`)),
      ...["07.0004 ep11 valid", "07.0047 ep11 valid"],
    ]);
    expect((await key("zeroize", "5", "71")).stdout.match(/invalid/g)).toHaveLength(6);
  });

  test.each<[string, string[], number, string]>([
    ["no action", [], 2, "key is no action: show, load-test, load, clear, commit, set, zeroize"],
    [
      "too few words",
      ["load", "5", "71"],
      2,
      "expected: hw HOST key load ADAPTER DOMAIN aes|apka|asym|ep11 [--part HEX]... [--more | --set]",
    ],
    ["a kind that there is not", ["set", "5", "71", "des"], 2, "expected aes, apka, asym, ep11, got des"],
    ["a part that is too short", ["load", "5", "71", "aes", "--part", "abcd"], 2, "a part of the aes key is 64 hex digits; part 1 is not"],
    ["a part for set", ["set", "5", "71", "aes", "--part", parts[0]], 2, "only key load takes --part, --more and --set, not key set"],
    ["more parts and setting", ["load", "5", "71", "aes", "--part", parts[0], "--more", "--set"], 2, "cannot be set: --more or --set"],
    ["an adapter that there is not", ["show", "9"], 1, "no adapter 9: adjunct hw lpar1 show lists those that there are"],
    ["an accelerator", ["load", "6", "4", "aes"], 1, "adapter 6 is an accelerator: it has no master keys"],
    ["a domain of others", ["load", "5", "5", "aes"], 1, "domain 5 is neither a usage nor a control domain of lpar1"],
    ["setting nothing", ["set", "5", "4", "aes"], 1, "the new aes register of 05.0004 is not full: load a key first"],
  ])("refuses %s", async (_, words, status, message) => {
    await up();
    const outcome = await key(...words);
    expect(outcome).toMatchObject({ status, stdout: "" });
    expect(outcome.stderr).toContain(message);
    expect(outcome.stderr).not.toContain(parts[0]);
  });

  test("shows no key to anybody: not in events, logs, answers or files of the run folder", async () => {
    await up();
    const client = await connectControl(join(sandbox.current.runFolder, "lpar1/control.sock"));
    const events: unknown[] = [];
    await client.follow((event) => events.push(event));
    const place = { do: "key", action: "load", adapter: 5, domain: 4, kind: "aes", isPartial: false };
    const answers = [await client.request({ ...place, parts: [parts[0]], isSet: true }), (await key("show", "--json")).stdout];
    await client.request({ do: "write", path: "/sys/devices/ap/card05/online", data: "0\n" });
    client.close();
    expect(JSON.stringify(events)).toContain("card05");
    const text = JSON.stringify([events, answers, (await adjunct("dmesg", "lpar1", "--json")).stdout]);
    const written = readdirSync(sandbox.current.runFolder, { recursive: true, encoding: "utf8" })
      .map((name) => join(sandbox.current.runFolder, name))
      .filter((path) => statSync(path).isFile())
      .map((path) => readFileSync(path, "utf8"));
    for (const shown of [text, ...written]) {
      expect(shown).not.toContain(parts[0]);
      expect(shown).not.toContain('"secrets"');
    }
    expect(readFileSync(secrets(), "latin1")).toContain(parts[0]);
  });
});

test("a damaged file of keys is refused by up, with its name and what to do, and is left as it is", async () => {
  await up();
  await key("load-test");
  await adjunct("down", "lpar1");
  const bytes = readFileSync(secrets());
  bytes[60]! ^= 1;
  writeFileSync(secrets(), bytes);
  const outcome = await adjunct("up", file(), "--no-mount", "--detach");
  expect(outcome.status).toBe(1);
  expect(outcome.stderr).toContain(
    `the master keys in ${secrets()} cannot be used: its checksum is wrong; put a copy of the file back, or move it away to start without keys`,
  );
  expect(readFileSync(secrets())).toEqual(bytes);
  bytes[60]! ^= 1;
  writeFileSync(secrets(), bytes);
  await up();
  expect((await key("show", "5", "4")).stdout).toMatch(/aes +empty +valid/);
});
