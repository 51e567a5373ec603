import { afterEach, describe, expect, test } from "vitest";
import { forgetMdevs, ownCallouts, useMdevctlHost } from "./mdevctl-host.ts";

/** `mdevctl modify --live`, which 1.4.0 has, by a callout that writes ap_config. */
const host = useMdevctlHost(
  "live",
  `name: live
machine: { model: z14, adapters: { 5: { type: CEX5C }, 6: { type: CEX5A }, 7: { type: CEX5C } }, usage-domains: [4, 5] }
apmask: "-5,-6"
`,
);
const uuid = "11111111-2222-3333-4444-555555555555";
const matrix = `cat /sys/bus/mdev/devices/${uuid}/matrix`;
const mask = (start: string): string => `0x${start.padEnd(64, "0")}`;
const adapter5 = [mask("04"), mask("08"), mask("")].join();
const adapter6 = [mask("02"), mask("0c"), mask("08")].join();
const adapter7 = [mask("01"), mask("08"), mask("")].join();

const withConfiguration = (command: string, configuration: string): string => {
  const definition = JSON.stringify({ mdev_type: "vfio_ap-passthrough", start: "manual", attrs: [{ ap_config: configuration }] });
  return `printf '%s' '${definition}' | mdevctl ${command} -u ${uuid} -p matrix --jsonfile /dev/stdin`;
};
const run = (command: string): Promise<string> => host.text("1.4.0", command, ownCallouts);

afterEach(async () => {
  await host.run("1.4.0", forgetMdevs);
});

describe("a started device", () => {
  test("has what one ap_config gives it, and is listed with what its callout tells of it", async () => {
    expect(await run(withConfiguration("start", adapter5))).toBe("");
    expect(await run(matrix)).toBe("05.0004\n");
    expect(await run("mdevctl list -v")).toBe(
      `${uuid} matrix vfio_ap-passthrough manual\n  Attrs:\n    @{0}: {"ap_config":"${adapter5}"}\n`,
    );
  });

  test("is another one after a live modification", async () => {
    await run(withConfiguration("start", adapter5));
    expect(await run(withConfiguration("modify --live", adapter6))).toBe("");
    expect(await run(`${matrix} /sys/bus/mdev/devices/${uuid}/control_domains`)).toBe("06.0004\n06.0005\n0004\n");
  });

  test("is as it was after one that the kernel refuses, whose reason is told", async () => {
    await run(withConfiguration("start", adapter5));
    const refused = await run(withConfiguration("modify --live", adapter7));
    expect(refused).toContain("vfio-ap.sh: cat: write error: Cannot assign requested address\n");
    expect(refused).toMatch(/failed with status '1'\nstatus 1\n$/);
    expect(await run(`${matrix}; cat /sys/bus/mdev/devices/${uuid}/ap_config`)).toBe(`05.0004\n${adapter5}\n`);
  });

  test("cannot be modified where no callout knows how", async () => {
    await run(withConfiguration("start", adapter5));
    const refused = await host.text("1.4.0", withConfiguration("modify --live", adapter6));
    expect(refused).toContain("Error: Live modification is not supported for this device type.");
    expect(await run(matrix)).toBe("05.0004\n");
  });
});
