import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { threeGuests, until } from "../cli/sandbox.ts";
import { useFrontHost } from "./front-host.ts";

/** What a running guest's mediated device does on kernels that are not the newest, and when its queues are reset. */
const example = readFileSync(threeGuests, "utf8").replace(/^guests:[\s\S]*/m, "");
const configuration = (name: string, kernel: string): string =>
  example.replace(/^name: .*$/m, `name: ${name}`).replace(/^kernel: .*$/m, `kernel: "${kernel}"`);

const guest = "qemu-system-s390x -nodefaults -nographic -cpu host";
const device = "-device vfio-ap,id=hostdev0,sysfsdev=/sys/devices/vfio_ap/matrix/$uuid1";
const mdev = "cd /sys/devices/vfio_ap/matrix/$uuid1";
const busy = "bash: line 1: echo: write error: Device or resource busy\n";

describe("on Linux 4.20", () => {
  const host = useFrontHost("k420", configuration("k420", "4.20"));

  test("nothing of the mediated device changes while a guest runs, nor is it removed: EBUSY", async () => {
    const path = "/sys/bus/mdev/drivers/vfio_mdev/$uuid1";
    const front = await host.start("guest1", `${guest} -device vfio-ap,sysfsdev=${path}`);
    for (const change of ["5 > unassign_adapter", "4 > unassign_domain", "4 > assign_control_domain", "1 > remove"]) {
      expect((await host.type(`${mdev}; echo ${change}`)).stderr).toBe(busy);
    }
    expect((await front.quit()).status).toBe(0);
    expect((await host.type(`${mdev}; echo 4 > unassign_domain && echo 1 > remove`)).status).toBe(0);
  });
});

describe("on Linux 6.1", () => {
  const host = useFrontHost("k61", configuration("k61", "6.1"));

  test("removing a device waits until its guest lets it go", async () => {
    const front = await host.start("guest1", `${guest} ${device}`);
    let isRemoved = false;
    const removal = host.type(`${mdev}; exec 3> remove; touch ${host.sandbox.folder}/opened; echo 1 >&3`).then((outcome) => {
      isRemoved = true;
      return outcome;
    });
    await until(() => existsSync(`${host.sandbox.folder}/opened`));
    expect((await host.type(`${mdev}; cat matrix`)).stdout).toBe("05.0004\n05.00ab\n06.0004\n06.00ab\n");
    expect(isRemoved).toBe(false);
    expect(host.devicesOf("guest1")).toContain("05.0004");
    expect(await front.type("device_del hostdev0")).toBe("");
    expect((await removal).status).toBe(0);
    const { status, stderr } = await front.quit();
    expect({ status, warnings: stderr.split("\n").map((line) => line.replace(/^.*warning: /, "")) }).toEqual({
      status: 0,
      warnings: ["vfio: IRQ 0 not available (number of irqs 0)", "vfio: IRQ 1 not available (number of irqs 0)", ""],
    });
  });
});

describe("on Linux 6.12", () => {
  const host = useFrontHost("k612", configuration("k612", "6.12"));

  test("a guest sees what is assigned at its next scan, and loses a device that is removed: DEVICE_DELETED", async () => {
    const front = await host.start("guest1", `${guest} ${device}`);
    const before = host.devicesOf("guest1");
    await host.type(`${mdev}; echo 0xab > unassign_domain`);
    expect(host.devicesOf("guest1")).toEqual(before);
    await host.typeInGuest("guest1", "echo 1 > /sys/bus/ap/scans");
    expect(host.devicesOf("guest1")).toEqual(before.filter((name) => !name.endsWith(".00ab")));
    const qmp = await front.qmp();
    expect((await host.type(`${mdev}; echo 1 > remove`)).status).toBe(0);
    expect(await qmp.event("DEVICE_DELETED")).toEqual({ device: "hostdev0", path: "/machine/peripheral/hostdev0" });
    qmp.disconnect();
    await front.quit();
  });
});

describe("a reset that takes a while", () => {
  const slow = configuration("slow", "7.2").replace("max-domain: 255", "max-domain: 255\n  reset-ms: 100");
  const host = useFrontHost("slow", slow);
  const queues = ["05.0004", "05.00ab", "06.0004", "06.00ab"];

  /** The queues whose resets the kernel logged since it was asked last. */
  let logged = 0;
  const resets = async (): Promise<string[]> => {
    const lines = [...(await host.type("dmesg")).stdout.matchAll(/Waited 80ms for reset of queue (\S+)/g)].map(([, queue]) => queue ?? "");
    const before = logged;
    logged = lines.length;
    return lines.slice(before).sort();
  };

  test("is done to every queue by system_reset, which boots the guest anew, and by SIGKILL, which frees the device", async () => {
    const front = await host.start("guest1", `${guest} ${device}`);
    await resets();
    expect(await front.type("system_reset")).toBe("");
    expect(await resets()).toEqual(queues);
    expect(host.devicesOf("guest1")).toEqual([...queues, "card05", "card06"]);

    process.kill(front.pid, "SIGKILL");
    await front.ended;
    const inUse = async (): Promise<string> => (await host.sandbox.adjunct("guests", "slow")).stdout;
    while ((await inUse()).includes("guest1"));
    const next = await host.start("guest1", `${guest} ${device}`);
    expect(await resets()).toEqual(queues);
    expect(host.devicesOf("guest1")).toEqual([...queues, "card05", "card06"]);
    await next.quit();
  });
});
