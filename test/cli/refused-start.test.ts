import { join } from "node:path";
import { expect, test } from "vitest";
import { launcher, type Outcome, threeGuests, useSandbox } from "./sandbox.ts";

const sandbox = useSandbox();
const adjunct = (...words: string[]): Promise<Outcome> => sandbox.current.adjunct(...words);

test("a run folder that cannot be made is named", async () => {
  sandbox.current.environment.ADJUNCT_RUN_DIR = "/proc/adjunct";
  expect(await adjunct("up", threeGuests, "--detach", "--no-mount")).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/^adjunct: \/proc\/adjunct cannot be made: No such file or directory \(ENOENT\); set ADJUNCT_RUN_DIR/),
  });
});

test("a user who may not open /dev/fuse is named as outside of the namespace, and can do without a mount", async (context) => {
  if (process.getuid?.() !== 0) context.skip("becoming another user needs root");
  const { folder } = sandbox.current;
  await sandbox.current.run("chmod", ["777", folder]);
  await sandbox.current.run("mknod", ["-m", "600", join(folder, "fuse"), "c", "10", "229"]);
  const asNobody = `mount --bind ${folder}/fuse /dev/fuse && exec setpriv --reuid=65534 --regid=65534 --clear-groups "$@"`;
  const { status, stderr } = await sandbox.current.run("unshare", [
    "--mount",
    "sh",
    "-c",
    asNobody,
    "sh",
    process.execPath,
    launcher,
    "up",
    threeGuests,
  ]);
  if (stderr.startsWith("mount:")) context.skip("nothing can be mounted here");
  expect(status).toBe(1);
  expect(stderr).toContain("user 65534 may not open /dev/fuse");
  expect(stderr).toContain("adjunct up FILE --no-mount serves the tree without a mount");
});

test("a matrix whose queue the host's drivers own is refused with the errno and the next step", async () => {
  const matrix = "62177883-f1bb-47f0-914d-32a22e3a8804: { adapters: [5], domains: [4] }";
  const file = sandbox.current.file(
    "owned.yaml",
    `name: owned\nmachine: { adapters: { 5: { type: CEX5C } }, usage-domains: [4] }\nmdevs: { ${matrix} }\n`,
  );
  const { status, stderr } = await adjunct("up", file, "--no-mount", "--json");
  expect(status).toBe(1);
  expect(JSON.parse(stderr)).toEqual({
    error: {
      code: "EADDRNOTAVAIL",
      message: expect.stringMatching(/assign_domain: Cannot assign requested address \(EADDRNOTAVAIL\); the host's own drivers .*apmask/),
    },
  });
});
