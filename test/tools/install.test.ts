import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { launcher, needsMount, threeGuests, useSandbox } from "../cli/sandbox.ts";
import { toolsFolder, useToolHost } from "./tool-host.ts";

/** adjunct tools, and what stands on the PATH of exec before and after. */
const sandbox = useSandbox();
const tools = (): string => join(sandbox.current.folder, "tools");

beforeEach(() => {
  sandbox.current.environment.ADJUNCT_TOOLS_DIR = tools();
});

describe("without the tools", () => {
  test("tools list and doctor say how to get them", async () => {
    expect((await sandbox.current.adjunct("tools", "list")).stdout).toBe("none: adjunct tools install\n");
    expect((await sandbox.current.adjunct("doctor")).stdout).toMatch(
      /^without {2}s390x tools: lszcrypt, chzcrypt.*\n +adjunct tools install$/m,
    );
  });

  test("what is no suite is wrong usage", async () => {
    for (const words of [["install", "--suite", "../elsewhere"], ["install", "--suite", "current"], ["remove"]]) {
      expect((await sandbox.current.adjunct("tools", ...words)).status).toBe(2);
    }
  });

  test("without a network the installation says what to look at, and leaves nothing", async () => {
    const { status, stderr } = await sandbox.current.run("unshare", [
      "--net",
      "--map-root-user",
      process.execPath,
      launcher,
      "tools",
      "install",
    ]);
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /^adjunct: the package lists of \S+ cannot be fetched, .*check the network and apt's proxy, then adjunct tools install$/m,
    );
    expect(readdirSync(tools())).toEqual([".lock"]);
  });

  test("a suite that the mirror does not have is refused", async () => {
    const { status, stderr } = await sandbox.current.adjunct("tools", "install", "--suite", "hamm");
    expect(status).toBe(1);
    expect(stderr).toMatch(/^adjunct: the package lists of hamm cannot be fetched/m);
    expect(readdirSync(tools())).toEqual([".lock"]);
  });
});

describe("a host that is up", () => {
  needsMount();

  test("has the tools from the moment they are installed, without a restart", async () => {
    mkdirSync(tools(), { recursive: true });
    await sandbox.current.up(threeGuests);
    const lszcrypt = () => sandbox.current.adjunct("exec", "lpar1", "--", "lszcrypt", "-v");
    expect(await lszcrypt()).toMatchObject({ status: 127, stdout: "", stderr: "lszcrypt: not installed: adjunct tools install\n" });
    symlinkSync(join(toolsFolder, "trixie"), join(tools(), "trixie"));
    // Two at once: one waits for the other, and both find what is there.
    const both = await Promise.all([1, 2].map(() => sandbox.current.adjunct("tools", "install", "--suite", "trixie", "--json")));
    for (const { status, stdout } of both) {
      expect(status).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({ suite: "trixie", version: expect.stringMatching(/^2\./), isCurrent: true });
    }
    expect(await lszcrypt()).toMatchObject({ status: 0, stdout: expect.stringMatching(/^lszcrypt version 2\./) });
    const { stderr } = await sandbox.current.adjunct("exec", "lpar1", "--", "env", "ADJUNCT_TOOLS_SUITE=bookworm", "lszcrypt");
    expect(stderr).toBe("lszcrypt: not installed: adjunct tools install --suite bookworm\n");
  });
});

test("what a killed installation left is cleaned up and never taken for a whole one", async () => {
  mkdirSync(join(tools(), ".new-dead"), { recursive: true });
  writeFileSync(join(tools(), ".new-dead/half"), "");
  mkdirSync(join(tools(), "trixie"));
  expect((await sandbox.current.adjunct("tools", "list")).stdout).toBe("none: adjunct tools install\n");
  rmSync(join(tools(), "trixie"), { recursive: true });
  symlinkSync(join(toolsFolder, "trixie"), join(tools(), "trixie"));
  expect((await sandbox.current.adjunct("tools", "install", "--suite", "trixie")).status).toBe(0);
  expect(readdirSync(tools()).sort()).toEqual([".lock", "current", "trixie"]);
});

const host = useToolHost("three", readFileSync(threeGuests, "utf8").replace(/^name: .*$/m, "name: three"));

test("on the example of the documents lszcrypt lists every queue of vfio_ap with its state", async () => {
  const text = await host.text("trixie", "lszcrypt -V");
  const rows = text.split("\n").slice(2, -1);
  expect(rows.map((row) => row.slice(0, 26).trimEnd())).toEqual(
    ["05", "06"].flatMap((card) => [
      `${card}       ${card === "05" ? "CEX5C CCA-Coproc" : "CEX5A Accelerator"}`,
      ...["0004", "0047", "00ab", "00ff"].map((domain) => `${card}.${domain}  ${card === "05" ? "CEX5C CCA-Coproc" : "CEX5A Accelerator"}`),
    ]),
  );
  for (const row of rows.filter((line) => line[2] === ".")) expect(row).toMatch(/ (assigned|in use) +0 +- +11 +09 \S+ +vfio_ap +$/);
});
