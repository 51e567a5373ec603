import { chmodSync, existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { mountsBelow } from "../../src/host/mount-table.ts";
import { needsMount, outcomeOf, printed, projectRoot, useSandbox } from "./sandbox.ts";

const sandbox = useSandbox();
const start = join(projectRoot, "scripts/start.mjs");

describe("npm start", () => {
  test("without root and user namespaces says why and serves the tree without a mount", async (context) => {
    if (process.getuid?.() !== 0) context.skip("taking namespaces away needs root");
    await sandbox.current.run("chmod", ["777", sandbox.current.folder]);
    const closed = sandbox.current.file("fuse", "");
    chmodSync(closed, 0o600);
    const asNobody = 'mount --bind "$1" /dev/fuse && shift && exec setpriv --reuid=65534 --regid=65534 --clear-groups "$@"';
    const words = ["--mount", "--propagation", "private", "sh", "-c", asNobody, "sh", closed, process.execPath, start];
    const child = sandbox.current.spawn("unshare", words);
    const outcome = outcomeOf(child);
    const text = await printed(child, /down lpar1/);
    expect(text).toContain("lpar1 is up: Linux 7.2, without a mount");
    expect(text).toMatch(/^guest2 +9e3a2f6e-4c1f-4d34-8f0b-5a6f0c7f1d02 +05\.0047 05\.00ff$/m);
    child.kill("SIGINT");
    expect(await outcome).toMatchObject({
      status: 0,
      stderr: expect.stringContaining("The tree cannot be mounted here, so it is served without a mount:\n  FUSE: "),
    });
  });
});

describe("npm start where the tree can be mounted", () => {
  needsMount();

  test("brings up the example, prints its table, its guests and what to type, and ends with Ctrl-C without leaving anything", async () => {
    const child = sandbox.current.spawn(process.execPath, [start]);
    const outcome = outcomeOf(child);
    const text = await printed(child, /down lpar1/);
    expect(text).toMatch(/^06\.00ff +CEX5A +Accelerator +in use +vfio_ap$/m);
    expect(text).toMatch(/^guest1 +62177883-f1bb-47f0-914d-32a22e3a8804 +05\.0004 05\.00ab 06\.0004 06\.00ab$/m);
    expect(text).toMatch(/^guest2 .* 05\.0047 05\.00ff$/m);
    expect(text).toMatch(/^guest3 .* 06\.0047 06\.00ff$/m);
    expect(text).toContain("bin/adjunct shell lpar1");
    child.kill("SIGINT");
    expect((await outcome).status).toBe(0);
    expect(mountsBelow(sandbox.current.folder)).toEqual([]);
    expect(existsSync(join(sandbox.current.runFolder, "lpar1"))).toBe(false);
  });
});
