import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ConfigurationError, Errno, type ModelEvent, startHost } from "adjunct-ap";
import { describe, expect, test } from "vitest";
import { launcher, needsMount, projectRoot, threeGuests, until, useSandbox, whyNotMountable } from "./sandbox.ts";

const sandbox = useSandbox();

describe("docs/library.md", () => {
  const text = readFileSync(join(projectRoot, "docs/library.md"), "utf8");
  const examples = [...text.matchAll(/<!-- (\S+) -->\n```\w+\n([\s\S]*?)```/g)].map(([, path = "", code = ""]) => ({ path, code }));

  test.each(["examples/vitest/sharing.test.ts", "examples/pytest/test_sharing.py"])("shows %s as it is", (path) => {
    expect(examples.find((example) => example.path === path)?.code).toBe(readFileSync(join(projectRoot, path), "utf8"));
  });

  test("has a vitest example that passes", async () => {
    sandbox.current.environment.NO_COLOR = "1";
    const vitest = join(projectRoot, "node_modules/vitest/vitest.mjs");
    const outcome = await sandbox.current.run(process.execPath, [
      vitest,
      "run",
      "--config",
      join(projectRoot, "examples/vitest/vitest.config.ts"),
    ]);
    expect(outcome.stdout + outcome.stderr).toMatch(/Tests .*2 passed/);
    expect(outcome.status).toBe(0);
  });

  test("has a pytest example that passes", async (context) => {
    const hasPytest = (await sandbox.current.run("python3", ["-m", "pytest", "--version"])).status === 0;
    if (!hasPytest) context.skip("pytest is not installed (package python3-pytest)");
    sandbox.current.environment.ADJUNCT = launcher;
    if (whyNotMountable() !== undefined) sandbox.current.environment.ADJUNCT_UP_OPTIONS = "--no-mount";
    const words = ["-m", "pytest", "-p", "no:cacheprovider", join(projectRoot, "examples/pytest")];
    expect(await sandbox.current.run("python3", words)).toMatchObject({ status: 0, stdout: expect.stringMatching(/[12] passed/) });
  });
});

describe("startHost", () => {
  test("refuses with the kernel's errno", async () => {
    await using host = await startHost(threeGuests);
    await expect(host.write("/sys/bus/ap/apmask", "+5\n")).rejects.toMatchObject({ code: "EBUSY" });
    await expect(host.read("/sys/nothing")).rejects.toBeInstanceOf(Errno);
    await expect(host.rmmod("vfio_ap")).rejects.toBeInstanceOf(Errno);
  });

  test("names what is wrong in a configuration", async () => {
    await expect(startHost({ name: "a", kernal: "7.2" })).rejects.toThrow("kernal: unknown key; did you mean kernel?");
    await expect(startHost({ name: "a", kernel: "5.4" })).rejects.toBeInstanceOf(ConfigurationError);
    await expect(startHost(join(projectRoot, "no-such-file.yaml"))).rejects.toThrow("no-such-file.yaml: cannot be read");
  });

  test("tells of uevents and log lines", async () => {
    const events: ModelEvent[] = [];
    await using host = await startHost(threeGuests, { onEvent: (event) => events.push(event) });
    await host.hw("card add", 7, { type: "CEX7C" });
    await host.write("/sys/bus/ap/scans", "1\n");
    expect(events).toContainEqual(expect.objectContaining({ type: "uevent", action: "add", devpath: "/devices/ap/card07" }));
  });

  test("lets time pass only by advance with a manual clock", async () => {
    await using host = await startHost(threeGuests, { clock: "manual" });
    await host.settle();
    await host.hw("card add", 7, { type: "CEX7C" });
    await host.settle();
    const scans = Number(await host.read("/sys/bus/ap/scans"));
    await host.advance(60_000);
    await host.settle();
    expect(Number(await host.read("/sys/bus/ap/scans"))).toBeGreaterThan(scans);
  });
});

describe("startHost with a mount", () => {
  needsMount();

  test("shows the tree to other programs and leaves nothing", async () => {
    const host = await startHost(threeGuests, { mount: true });
    const sys = host.sys ?? "";
    try {
      expect((await sandbox.current.run("cat", [`${sys}/bus/ap/ap_max_domain_id`])).stdout).toBe("255\n");
      const { stderr } = await sandbox.current.run("bash", ["-c", `echo +5 > ${sys}/bus/ap/apmask`]);
      expect(stderr).toContain("Device or resource busy");
      expect(await host.read("/sys/bus/ap/ap_max_domain_id")).toBe("255\n");
    } finally {
      await host.stop();
    }
    await until(() => !existsSync(join(sys, "..")));
  });
});
