import { once } from "node:events";
import { mkdtempSync, rmdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { checkFuse } from "../fuse/check-fuse.ts";
import { isMounted, javascript, run, shell, ToyProcess, untilUnmounted } from "./toy-process.ts";

const reason = checkFuse();

describe.skipIf(reason !== undefined)("the supervisor of a mount", { timeout: 60_000 }, () => {
  test("takes the mount away when the host ends in good order, and everything ends", async () => {
    const toy = await ToyProcess.start();
    expect(await toy.stop()).toBe(0);
    expect(isMounted(toy.mountPoint)).toBe(false);
    expect(toy.lines.at(-1)).toEqual({ ended: null });
    await toy.destroy();
  });

  test("takes the mount away when the host is killed, also with files open and a program asleep in it", async () => {
    const toy = await ToyProcess.start();
    const sleeping = shell('exec 3< "$1"; echo 1 > "$2"', toy.path("decimal"), toy.path("sleep"));
    await run("sleep", "0.2");
    toy.process.kill("SIGKILL");
    expect(await untilUnmounted(toy.mountPoint, 5000)).toBe(true);
    expect((await sleeping).status).not.toBe(0);
    await toy.destroy();
  });

  test("ends the host in good order while others have files open and sleep in it", async () => {
    const toy = await ToyProcess.start();
    const holding = shell('cd "$1" && exec 3< decimal && echo 1 > sleep; sleep 0.5; cat <&3', toy.path());
    await run("sleep", "0.2");
    expect(await toy.stop()).toBe(0);
    expect(isMounted(toy.mountPoint)).toBe(false);
    expect((await holding).status).not.toBe(0);
    await toy.destroy();
  });

  test("serves two mounts at once that know nothing of each other", async () => {
    const [first, second] = await Promise.all([ToyProcess.start(), ToyProcess.start()]);
    try {
      await shell('echo 1 > "$1"; echo 2 > "$2"', first.path("value"), second.path("value"));
      expect((await run("cat", first.path("hex"), second.path("hex"))).stdout).toBe("0x00000001\n0x00000002\n");
      first.process.kill("SIGKILL");
      expect(await untilUnmounted(first.mountPoint, 5000)).toBe(true);
      expect((await run("cat", second.path("hex"))).stdout).toBe("0x00000002\n");
    } finally {
      await Promise.all([first.destroy(), second.destroy()]);
    }
  });

  test("refuses a mount point that another host serves, and cleans one whose host and supervisor are both dead", async () => {
    const mountPoint = mkdtempSync(join(tmpdir(), "adjunct-mount-"));
    const first = await ToyProcess.start({}, mountPoint);
    await expect(ToyProcess.start({}, mountPoint)).rejects.toThrow("is served by another process already");
    expect((await run("cat", first.path("decimal"))).stdout).toBe("0\n");
    const supervisor = await first.supervisorPid();
    first.process.kill("SIGSTOP");
    process.kill(supervisor, "SIGKILL");
    first.process.kill("SIGKILL");
    await once(first.process, "exit");
    expect(isMounted(mountPoint)).toBe(true);
    const second = await ToyProcess.start({}, mountPoint);
    expect((await run("cat", second.path("decimal"))).stdout).toBe("0\n");
    await second.destroy();
  });

  test("ends the host when the supervisor is lost, with the reason", async () => {
    const toy = await ToyProcess.start();
    process.kill(await toy.supervisorPid(), "SIGKILL");
    expect(await toy.line((line) => "ended" in line)).toEqual({ ended: `the supervisor of the mount at ${toy.mountPoint} ended` });
    await toy.stop();
    expect(isMounted(toy.mountPoint)).toBe(false);
    await toy.destroy();
  });

  test("ends the host when the connection is aborted from outside", async () => {
    const toy = await ToyProcess.start();
    await shell('umount -f -l "$1"', toy.mountPoint);
    expect(await toy.line((line) => "ended" in line)).toEqual({ ended: `the mount at ${toy.mountPoint} was taken away` });
    await toy.stop();
    await toy.destroy();
  });

  test("takes the mount of a host away that does not come back from one input", async () => {
    const toy = await ToyProcess.start({ silenceLimitMs: 2000 });
    toy.process.stdin?.write('{"do":"hang"}\n');
    const reading = run("cat", toy.path("decimal"));
    expect(await untilUnmounted(toy.mountPoint, 20_000)).toBe(true);
    expect((await reading).status).not.toBe(0);
    expect(await toy.line((line) => "ended" in line)).toEqual({ ended: "the model has been at one input for 2 s" });
    await toy.stop();
    await toy.destroy();
  });

  test("takes the mount away at once when the host exits or dies of an error without stopping, and the host does not hang", async () => {
    for (const request of ['{"exit":7}', '{"throw":"a bug of the host"}']) {
      const toy = await ToyProcess.start();
      const ended = once(toy.process, "exit");
      toy.process.stdin?.write(`${request}\n`);
      expect(await ended).toEqual([request.includes("exit") ? 7 : 1, null]);
      expect(await untilUnmounted(toy.mountPoint, 5000)).toBe(true);
      await toy.destroy();
    }
  });

  test("says why a model cannot start, and leaves nothing", async () => {
    const mountPoint = mkdtempSync(join(tmpdir(), "adjunct-mount-"));
    await expect(ToyProcess.start({ modelExport: "nothing" }, mountPoint)).rejects.toThrow("toy-model.js exports no nothing");
    expect(await untilUnmounted(mountPoint, 5000)).toBe(true);
    rmdirSync(mountPoint);
  });

  test("works without privileges in a user namespace, given a device that everybody may open", async () => {
    const folder = mkdtempSync(join(tmpdir(), "adjunct-user-"));
    const [device, mountPoint] = [join(folder, "fuse"), join(folder, "mount")];
    await shell('mknod -m 0666 "$1" c 10 229 && mkdir "$2" && chmod 0755 "$3" "$2"', device, mountPoint, folder);
    const unprivileged = "exec setpriv --reuid 65534 --regid 65534 --clear-groups unshare --user --map-root-user --mount";
    const toy = await ToyProcess.start({}, mountPoint, [
      "unshare",
      "--mount",
      "sh",
      "-c",
      `mount --bind "$0" /dev/fuse && ${unprivileged} "$@"`,
      device,
    ]);
    try {
      const inside = ["--user", "--mount", "--target", String(toy.process.pid)];
      await run("nsenter", ...inside, "sh", "-c", 'echo 9 > "$0"', toy.path("value"));
      expect(await run("nsenter", ...inside, "cat", toy.path("hex"))).toEqual({ status: 0, stdout: "0x00000009\n", stderr: "" });
      expect(await toy.stop()).toBe(0);
    } finally {
      await toy.destroy();
      rmSync(folder, { recursive: true });
    }
  });

  test("has a reason to give where nothing can be mounted", async () => {
    const module = new URL("../../dist/fuse/check-fuse.js", import.meta.url).href;
    const text = await javascript(
      `process.setgid(65534); process.setuid(65534); import(${JSON.stringify(module)}).then(({ checkFuse }) => process.stdout.write(checkFuse() ?? "nothing"))`,
    );
    expect(text).toMatch(/run as root/);
  });
});
