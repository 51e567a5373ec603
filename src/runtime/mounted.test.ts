import { spawn } from "node:child_process";
import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { checkFuse } from "../fuse/check-fuse.ts";
import { javascript, run, shell, ToyProcess } from "./toy-process.ts";

/** The mount as programs see it, by real system calls from other processes. */
const reason = checkFuse();
if (reason !== undefined) console.warn(`mount tests are skipped: ${reason}`);

describe.skipIf(reason !== undefined)("a mounted tree", { timeout: 60_000 }, () => {
  let toy: ToyProcess;
  beforeAll(async () => {
    toy = await ToyProcess.start();
  }, 30_000);
  afterAll(() => toy.destroy(), 30_000);

  const cat = async (...names: string[]): Promise<string> => (await run("cat", toy.path(...names))).stdout;
  /** The name of the error that a script's system call ended with, or what it printed. */
  const attempt = (script: string, ...names: string[]): Promise<string> =>
    javascript(
      `try { const path = argv[0]; ${script} } catch (error) { process.stdout.write(error.syscall + " " + (require("node:util").getSystemErrorName(error.errno) ?? error.errno)); }`,
      toy.path(...names),
    );

  test("gives texts to read and takes writes, with truncation as a shell does it", async () => {
    expect((await shell('echo 66 > "$1"', toy.path("value"))).status).toBe(0);
    expect([await cat("value"), await cat("decimal"), await cat("hex")]).toEqual(["66\n", "66\n", "0x00000042\n"]);
  });

  test("lists names with their types without looking at each", async () => {
    const found = await run("find", toy.path(), "-mindepth", "1", "-maxdepth", "1", "-type", "d", "-printf", "%f\n");
    expect(found.stdout.trim().split("\n").sort()).toEqual(["devices", "links"]);
    expect((await run("find", toy.path("links"), "-type", "l", "-printf", "%f %l\n")).stdout.trim().split("\n").sort()).toEqual([
      "card00 ../devices/card00",
      "card01 ../devices/card01",
    ]);
    const types = await javascript(
      "for (const entry of fs.readdirSync(argv[0], { withFileTypes: true })) if (entry.isFile()) console.log(entry.name)",
      toy.path("devices/card00"),
    );
    expect(types.trim().split("\n").sort()).toEqual(["id", "remove", "state"]);
  });

  test("says of every node what sysfs says: mode, owner, links; a page as size unless the kernel may keep the text", async () => {
    const stat = await run(
      "stat",
      "-c",
      "%f %h %u %g %s",
      ...["value", "secret", "hex", "devices", "links/card00"].map((name) => toy.path(name)),
    );
    expect(stat.stdout.trim().split("\n")).toEqual([
      "81a4 1 0 0 4096",
      "8100 1 0 0 4096",
      "8124 1 0 0 11",
      "41ed 4 0 0 0",
      "a1ff 1 0 0 17",
    ]);
  });

  test("answers a write with the error the model threw, inside write(2)", async () => {
    for (const name of ["EBUSY", "EADDRNOTAVAIL", "EADDRINUSE", "ENODEV", "EINVAL"]) {
      expect(await attempt(`fs.writeSync(fs.openSync(path, "w"), ${JSON.stringify(name)})`, "fail")).toBe(`write ${name}`);
    }
  });

  test("answers reading a link to a directory with EISDIR", async () => {
    expect(await attempt("fs.readSync(fs.openSync(path), Buffer.alloc(10))", "links/card00")).toBe("read EISDIR");
  });

  test("refuses root what the permission bits allow nobody, with EACCES in open(2)", async () => {
    expect(await attempt('fs.openSync(path, "r")', "create")).toBe("open EACCES");
    expect(await attempt('fs.openSync(path, "w")', "decimal")).toBe("open EACCES");
    expect(await attempt('fs.openSync(path, "r+")', "create")).toBe("open EACCES");
    expect(await attempt('fs.openSync(path, "w")', "no-such-file")).toBe("open EACCES");
  });

  test("keeps other users from what is root's", async () => {
    const read = (name: string): Promise<string> => attempt(`process.setuid(65534); fs.openSync(path)`, name);
    expect(await read("secret")).toBe("open EACCES");
    expect(await read("decimal")).toBe("");
  });

  test("refuses to make, rename and remove names as sysfs does", async () => {
    expect(await attempt("fs.mkdirSync(path)", "new")).toBe("mkdir EPERM");
    expect(await attempt("fs.unlinkSync(path)", "value")).toBe("unlink EPERM");
    expect(await attempt("fs.rmdirSync(path)", "devices")).toBe("rmdir EPERM");
    expect(await attempt('fs.renameSync(path, path + "2")', "value")).toBe("rename EPERM");
    expect(await attempt('fs.symlinkSync("x", path)', "new")).toBe("symlink EPERM");
    expect(await attempt("fs.chmodSync(path, 0o777)", "value")).toBe("chmod EPERM");
    expect(await attempt("fs.chownSync(path, 1, 1)", "value")).toBe("chown EPERM");
    expect(await attempt("fs.truncateSync(path, 0)", "value")).toBe("");
    expect(await attempt("fs.fsyncSync(fs.openSync(path))", "value")).toBe("fsync EINVAL");
  });

  test("has text for partial reads at offsets and none past its end, and takes a new text when reading starts over", async () => {
    await shell('echo 12345 > "$1"; echo 12345 > "$2"', toy.path("value"), toy.path("text"));
    const reads = await javascript(
      `const file = fs.openSync(argv[0]);
       const at = (position, count = 4096) => { const buffer = Buffer.alloc(count); return buffer.toString("latin1", 0, fs.readSync(file, buffer, 0, count, position)); };
       const parts = [at(0, 2), at(2, 2), at(4), at(6), at(100), at(2 ** 40)];
       fs.writeFileSync(argv[0], "678");
       parts.push(at(6), at(0));
       process.stdout.write(JSON.stringify(parts));`,
      toy.path("text"),
    );
    expect(JSON.parse(reads)).toEqual(["12", "34", "5\n", "", "", "", "", "678"]);
    expect((await run("dd", `if=${toy.path("hex")}`, "bs=3", "skip=1", "status=none")).stdout).toBe(
      "0003039\n".replace("0003039", "0003039"),
    );
  });

  test("reads a text of nearly a page in one piece or in many", async () => {
    const whole = "0123456789abcdef".repeat(255);
    expect(await cat("long")).toBe(whole);
    expect((await run("dd", `if=${toy.path("long")}`, "bs=7", "status=none")).stdout).toBe(whole);
  });

  test("cuts one write at a page and goes on with the next, as write(2) on sysfs does", async () => {
    // Node goes on by itself after a short write; perl does not.
    const counts = await run(
      "perl",
      "-e",
      'open(my $f, ">", $ARGV[0]); print syswrite($f, "x" x $_), " " for 5000, 4096, 8192, 200000;',
      toy.path("text"),
    );
    expect(counts.stdout).toBe("4096 4096 4096 4096 ");
    expect((await cat("text")).length).toBe(4096);
  });

  test("answers a bug of the model with EIO and says so, and goes on", async () => {
    toy.lines.length = 0;
    expect((await run("cat", toy.path("bug"))).stderr).toContain("Input/output error");
    expect(await toy.line((line) => "fault" in line)).toEqual({ fault: "TypeError: a bug of the model" });
    expect(await cat("decimal")).toMatch(/^\d+\n$/);
  });

  test("answers the reading of a kept attribute with the error that its text has", async () => {
    expect((await run("cat", toy.path("gone"))).stderr).toContain("No such device");
  });

  test("shows a device that was added and none that was removed, in listings, by name and through links", async () => {
    const names = (): Promise<string> => shell('ls "$1"', toy.path("devices")).then(({ stdout }) => stdout.trim().replaceAll("\n", " "));
    expect(await names()).toBe("card00 card01");
    for (let round = 0; round < 20; round++) {
      const name = `new${round}`;
      expect((await run("cat", toy.path("devices", name, "id"))).status).not.toBe(0);
      await shell('echo "$2" > "$1"', toy.path("create"), name);
      expect(await names()).toBe(`card00 card01 ${name}`);
      expect(await cat("links", name, "id")).toBe(`${name}\n`);
      expect((await run("stat", "-c", "%h", toy.path("devices"))).stdout).toBe("5\n");
      await shell('echo 1 > "$1"', toy.path("devices", name, "remove"));
      expect(await names()).toBe("card00 card01");
      expect((await run("cat", toy.path("links", name, "id"))).stderr).toContain("No such file");
      expect((await run("cat", toy.path("devices", name, "state"))).stderr).toContain("No such file");
    }
  });

  test("lets a file remove the directory it is in, also when somebody looks at that all the time", async () => {
    const looker = spawn("sh", [
      "-c",
      'while :; do ls -R "$1" >/dev/null 2>&1; cat "$1"/devices/*/id >/dev/null 2>&1; done',
      "sh",
      toy.path(),
    ]);
    const outcome = await javascript(
      `const [host] = argv; let gone = 0;
       for (let round = 0; round < 500; round++) {
         fs.writeFileSync(host + "/create", "card" + round + "x");
         const device = host + "/devices/card" + round + "x";
         if (fs.readFileSync(device + "/id", "latin1") !== "card" + round + "x\\n") throw new Error("wrong id");
         fs.writeFileSync(device + "/remove", "1");
         if (!fs.existsSync(device) && !fs.readdirSync(host + "/devices").includes("card" + round + "x")) gone++;
       }
       console.log(gone);`,
      toy.path(),
    );
    looker.kill("SIGKILL");
    await once(looker, "exit");
    expect(outcome).toBe("500\n");
  });

  test("gives who still has it open ENODEV when a device is gone, and keeps its open directory", async () => {
    const outcome = await javascript(
      `const [host] = argv; const error = (run) => { try { return String(run()); } catch ({ code }) { return code; } };
       fs.writeFileSync(host + "/create", "open");
       const device = host + "/devices/open";
       const [id, state, remove] = ["id", "state", "remove"].map((name) => fs.openSync(device + "/" + name, name === "remove" ? "w" : "r"));
       const buffer = Buffer.alloc(100);
       fs.readSync(id, buffer, 0, 100, 0);
       process.chdir(device);
       fs.writeSync(remove, "1");
       console.log([error(() => fs.readSync(id, buffer, 0, 100, 0)), error(() => fs.readSync(state, buffer, 0, 100, 0)), error(() => fs.writeSync(remove, "1")),
         error(() => fs.readdirSync(".").length), error(() => fs.openSync("id"))].join());`,
      toy.path(),
    );
    expect(outcome).toBe("ENODEV,ENODEV,ENODEV,0,ENOENT\n");
  });

  test("never gives an old text after a write returned: 0 stale in 10,000 with two readers beside", async () => {
    const readers = [1, 2].map(() => spawn("sh", ["-c", 'while :; do cat "$1/hex" "$1/decimal" >/dev/null; done', "sh", toy.path()]));
    const outcome = await javascript(
      `const [host] = argv; let stale = 0; let length = 0;
       const kept = fs.openSync(host + "/hex"); const buffer = Buffer.alloc(4096);
       for (let round = 0; round < 10000; round++) {
         fs.writeFileSync(host + "/value", String(round));
         const expected = "0x" + round.toString(16).padStart(8, "0") + "\\n";
         const again = buffer.toString("latin1", 0, fs.readSync(kept, buffer, 0, 4096, 0));
         const fresh = round % 2 ? fs.readFileSync(host + "/hex", "latin1") : expected;
         if (again !== expected || fresh !== expected) stale++;
         if (again.length !== 11) length++;
       }
       console.log(stale, length);`,
      toy.path(),
    );
    for (const reader of readers) reader.kill("SIGKILL");
    await Promise.all(readers.map((reader) => once(reader, "exit")));
    expect(outcome).toBe("0 0\n");
  });

  test("shows what a command of the host changed as soon as that is answered", async () => {
    await cat("hex");
    for (const value of [7, 8, 9]) {
      expect(await toy.command({ do: "set", value })).toEqual({ answer: null });
      expect(await cat("hex")).toBe(`0x0000000${value}\n`);
    }
    expect(await toy.command({ do: "nonsense" })).toEqual({ refused: "Errno: EINVAL" });
  });

  test("tells events before the answer of what caused them", async () => {
    await toy.command({ do: "set", value: 4711 });
    expect(toy.lines).toEqual([{ event: { type: "uevent", value: 4711 } }, { answer: null }]);
  });

  test("lets a program poll an attribute that it has read, and says so at once for one that it has not", async () => {
    const outcome = await run(
      "perl",
      "-e",
      'use IO::Poll qw(POLLPRI POLLERR); open(my $f, "<", $ARGV[0]); my $p = IO::Poll->new; $p->mask($f => POLLPRI | POLLERR); print $p->poll(0.2); sysread($f, my $b, 100); print $p->poll(0.2);',
      toy.path("decimal"),
    );
    expect(outcome.stdout).toBe("10");
  });
});
