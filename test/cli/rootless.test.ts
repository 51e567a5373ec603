import { existsSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { domainXml, hostdevXml } from "../libvirt/domain-host.ts";
import { launcher, type Outcome, threeGuests, useSandbox } from "./sandbox.ts";

const sandbox = useSandbox();

/**
 * Another user on a machine whose /dev/fuse is open to all, as udev makes it: a device node of that kind is laid over the machine's in a
 * mount namespace of the test's own.
 */
const asNobody = "mount --bind $NODE /dev/fuse && exec setpriv --reuid=65534 --regid=65534 --clear-groups";

describe("without root", () => {
  beforeEach(async (context) => {
    if (process.getuid?.() !== 0) context.skip("becoming another user needs root");
    const { folder } = sandbox.current;
    await sandbox.current.run("chmod", ["777", folder]);
    await sandbox.current.run("mknod", ["-m", "666", join(folder, "fuse"), "c", "10", "229"]);
    const { status } = await nobody("unshare", "-Urmn", "head", "-c0", "/dev/fuse");
    if (status !== 0) context.skip("user namespaces or FUSE in them are not allowed here");
  });

  function nobody(...words: string[]): Promise<Outcome> {
    const { folder } = sandbox.current;
    const environment = `NODE=${join(folder, "fuse")} HOME=${folder} ADJUNCT_RUN_DIR=${folder}/user/run ADJUNCT_STATE_DIR=${folder}/user/state`;
    return sandbox.current.run("unshare", ["--mount", "sh", "-c", `export ${environment}; ${asNobody} "$@"`, "sh", ...words]);
  }

  test("a host comes up in a user namespace, its programs see its tree, and it goes down without leaving anything", async () => {
    const adjunct = (...words: string[]): Promise<Outcome> => nobody(process.execPath, launcher, ...words);
    try {
      expect(await adjunct("up", threeGuests, "--detach")).toMatchObject({ status: 0, stdout: expect.stringContaining("lpar1 is up") });
      expect((await adjunct("exec", "lpar1", "--", "cat", "/sys/bus/ap/ap_max_domain_id")).stdout).toBe("255\n");
      expect((await adjunct("exec", "lpar1", "--", "id", "-u")).stdout).toBe("0\n");
      const assigned = "echo 0x47 > /sys/devices/vfio_ap/matrix/62177883-f1bb-47f0-914d-32a22e3a8804/assign_domain";
      expect((await adjunct("exec", "lpar1", "--", "bash", "-c", assigned)).stderr).toContain("Address already in use");
      expect((await adjunct("exec", "lpar1", "--", "lsmod")).stdout).toContain("vfio_ap");
      expect((await adjunct("exec", "lpar1", "--", "sh", "-c", "cut -d: -f1 /proc/net/dev | tail -n +3")).stdout.trim()).toBe("lo");
      if (existsSync("/usr/sbin/libvirtd")) {
        expect((await adjunct("exec", "lpar1", "--", "virsh", "-q", "nodedev-list", "--cap", "ap_card")).stdout).toBe(
          "ap_card05\nap_card06\n",
        );
        const file = sandbox.current.file("domain.xml", domainXml("my-guest", hostdevXml("11111111-2222-3333-4444-555555555555")));
        const started = 'mdevctl start -u 11111111-2222-3333-4444-555555555555 -p matrix -t vfio_ap-passthrough && virsh -q create "$0"';
        expect(await adjunct("exec", "lpar1", "--", "sh", "-c", started, file)).toMatchObject({ status: 0, stderr: "" });
        expect((await adjunct("exec", "lpar1", "--", "virsh", "-q", "dumpxml", "my-guest")).stdout).toContain("<alias name='hostdev0'/>");
      }
      expect((await adjunct("root", "lpar1")).stderr).toContain("mounted in a user namespace");
    } finally {
      expect(await adjunct("down", "lpar1")).toMatchObject({ status: 0 });
    }
    expect((await adjunct("hosts")).stdout).toContain("no host is running");
  });
});
