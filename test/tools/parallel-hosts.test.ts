import { existsSync, readdirSync, readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { mountsBelow } from "../../src/host/mount-table.ts";
import { isRunning, needsMount, type Outcome, until, useSandbox } from "../cli/sandbox.ts";

/** Several hosts at once, each with its own libvirt daemon, and what is left of them. */
needsMount();
const sandbox = useSandbox();
const names = ["first", "second", "third", "fourth"] as const;

beforeEach((context) => {
  if (!existsSync("/usr/sbin/libvirtd")) context.skip("libvirt's daemon is not installed (package libvirt-daemon-system)");
});

const fileOf = (name: string, adapter: number): string =>
  sandbox.current.file(
    `${name}.yaml`,
    `name: ${name}\nmachine: { adapters: { ${adapter}: { type: CEX8C } }, usage-domains: [4] }\naqmask: "-4"\n`,
  );
const virsh = (host: string, words: string): Promise<Outcome> =>
  sandbox.current.adjunct("exec", host, "--", "virsh", "-q", ...words.split(" "));

/** Processes, namespaces and mounts that know of the sandbox: by their environment and their mount table. */
function leftovers(): string[] {
  const { folder } = sandbox.current;
  const found = mountsBelow(folder).map((path) => `mount ${path}`);
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    if (Number(pid) === process.pid) continue;
    const text = (name: string): string => {
      try {
        return readFileSync(`/proc/${pid}/${name}`, "latin1");
      } catch {
        return "";
      }
    };
    const isOurs = text("environ").includes(folder) || text("cmdline").includes(folder) || text("mountinfo").includes(folder);
    if (isOurs && isRunning(Number(pid))) found.push(`process ${pid} ${text("cmdline").replaceAll("\0", " ")}`);
  }
  return found;
}

const daemons = (): number => leftovers().filter((text) => /libvirtd/.test(text)).length;

/** Ends a test's daemon that a failed assertion would leave. */
afterEach(async () => {
  await Promise.all(names.map((name) => sandbox.current.adjunct("down", name)));
});

describe("four hosts at once", () => {
  test("have a daemon each, see their own devices alone, and leave nothing when they end", async () => {
    await Promise.all(names.map((name, index) => sandbox.current.up(fileOf(name, index + 1))));
    const change = async (name: string): Promise<void> => {
      const { status, stderr } = await sandbox.current.adjunct(
        ...["exec", name, "--", "sh", "-ec"],
        // libvirt looks at what it hears of in a thread of its own.
        `uuid=$(mdevctl start -p matrix -t vfio_ap-passthrough); name=$(echo $uuid | tr - _)
         until virsh -q nodedev-list --cap mdev | grep -q $name; do :; done
         mdevctl define -u $uuid; mdevctl stop -u $uuid
         until virsh -q nodedev-list --cap mdev --inactive | grep -q $name; do :; done`,
      );
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    };
    await Promise.all(names.flatMap((name) => [change(name), change(name), change(name)]));
    for (const [index, name] of names.entries()) {
      const { stdout } = await virsh(name, "nodedev-list --cap ap_card,ap_queue");
      expect(stdout.trim().split("\n").sort()).toEqual([`ap_0${index + 1}_0004`, `ap_card0${index + 1}`]);
      expect((await virsh(name, "nodedev-list --cap mdev --all")).stdout.trim().split("\n").length).toBe(3);
    }
    // A daemon that is about to run mdevctl is two for a moment.
    await until(() => daemons() === names.length);
    await Promise.all(names.map((name) => sandbox.current.adjunct("down", name)));
    expect(leftovers()).toEqual([]);
  });
});

test("a host that was killed leaves nothing after its next start and end", async () => {
  const file = fileOf("first", 1);
  const { pid } = await sandbox.current.up(file);
  expect((await virsh("first", "nodedev-list --cap ap_card")).stdout).toBe("ap_card01\n");
  process.kill(pid, "SIGKILL");
  await until(() => !isRunning(pid));
  await sandbox.current.up(file);
  // What the killed one had ends by itself: the pipe to it is closed.
  await until(() => daemons() === 0);
  expect((await virsh("first", "nodedev-list --cap ap_card")).stdout).toBe("ap_card01\n");
  expect((await sandbox.current.adjunct("down", "first")).status).toBe(0);
  expect(leftovers()).toEqual([]);
});
