import { describe, expect, test } from "vitest";
import { type GenerationName, generationNames } from "../src/linux/generation.ts";
import { createFile, exampleHost, exampleMachine, matrix, TestHost, uuids } from "./support/test-host.ts";

/**
 * What each imitated kernel does where they differ: every cell is a test, named by kernel and behaviour. The static generation is
 * 4.20; the dynamic ones are 6.0 and later.
 */
const [first, second] = uuids;
const dynamic = ["6.0", "6.1", "6.12", "7.2", "7.2-migration"] as const satisfies readonly GenerationName[];
const kernels = ["4.20", ...dynamic] as const;
const bus = "/sys/bus/ap";
const file = (uuid: string, name: string): string => `${matrix}/${uuid}/${name}`;

/** Adapters 5 and 6, domain 4, in a running guest. */
function withGuest(kernel: GenerationName): TestHost {
  const host = exampleHost(kernel);
  expect(host.createMdev(first, { adapters: [5, 6], domains: [4], control: [4] })).toBe("done");
  expect(host.startGuest("guest1", first)).toBe("done");
  host.forget();
  return host;
}

describe("a change while a guest runs", () => {
  const changes = [
    ["assign_domain", "0x47"],
    ["assign_control_domain", "0x47"],
    ["unassign_adapter", "5"],
    ["unassign_domain", "4"],
    ["unassign_control_domain", "4"],
  ] as const;

  test.each(changes)("4.20: %s is EBUSY and changes nothing", (name, id) => {
    const host = withGuest("4.20");
    expect(host.write(file(first, name), `${id}\n`)).toBe("EBUSY");
    expect(host.matrix(first)).toEqual(["05.0004", "06.0004"]);
    expect([host.apcb("guest1"), host.adm("guest1")]).toEqual([["05.0004", "06.0004"], [4]]);
  });

  describe.each(dynamic)("%s", (kernel) => {
    test.each(changes)("%s is done, and the guest has it at once", (name, id) => {
      const host = withGuest(kernel);
      expect(host.write(file(first, name), `${id}\n`)).toBe("done");
      expect(host.apcb("guest1")).toEqual(host.guestMatrix(first));
      expect([host.apcb("guest1"), host.adm("guest1")]).not.toEqual([["05.0004", "06.0004"], [4]]);
    });
  });
});

describe("unassigning what is not assigned", () => {
  test.each(kernels)("%s: success", (kernel) => {
    const host = exampleHost(kernel);
    host.createMdev(first);
    for (const what of ["adapter", "domain", "control_domain"] as const) expect(host.unassign(first, what, 5)).toBe("done");
  });
});

describe("assigning what vfio_ap has no queue of", () => {
  test.each(dynamic)("%s: over-provisioning is success where the host's drivers own nothing of it", (kernel) => {
    const host = exampleHost(kernel);
    host.write(`${bus}/apmask`, "-9\n");
    expect(host.createMdev(first, { adapters: [9], domains: [4, 0x50] })).toBe("done");
    expect(host.matrix(first)).toEqual(["09.0004", "09.0050"]);
    expect(host.guestMatrix(first)).toEqual([".0004"]);
  });

  test.each(dynamic)("%s: EADDRNOTAVAIL only for what the host's drivers own, existing or not", (kernel) => {
    const host = exampleHost(kernel);
    expect(host.createMdev(first, { adapters: [9] })).toBe("done");
    expect(host.assign(first, "domain", 0x50)).toBe("EADDRNOTAVAIL");
    expect(host.assign(first, "domain", 4)).toBe("done");
    expect(host.matrix(first)).toEqual(["09.0004"]);
  });

  test("4.20: every queue with the other dimension must be bound: EADDRNOTAVAIL", () => {
    const host = exampleHost("4.20");
    expect(host.createMdev(first, { adapters: [5], domains: [4] })).toBe("done");
    host.write(`${bus}/apmask`, "-9\n");
    expect(host.assign(first, "adapter", 9)).toBe("EADDRNOTAVAIL");
    expect(host.assign(first, "domain", 0x50)).toBe("EADDRNOTAVAIL");
    host.write(`${bus}/drivers/vfio_ap/unbind`, "06.0004");
    expect(host.assign(first, "adapter", 6)).toBe("EADDRNOTAVAIL");
    host.write(`${bus}/drivers/vfio_ap/bind`, "06.0004");
    expect(host.assign(first, "adapter", 6)).toBe("done");
  });

  test("4.20: with nothing in the other dimension at least one queue must be bound", () => {
    const host = exampleHost("4.20");
    host.createMdev(first);
    expect(host.assign(first, "adapter", 9)).toBe("EADDRNOTAVAIL");
    expect(host.assign(first, "domain", 0x50)).toBe("EADDRNOTAVAIL");
    for (const domain of ["0004", "0047", "00ab"]) host.write(`${bus}/drivers/vfio_ap/unbind`, `05.${domain}`);
    expect(host.assign(first, "adapter", 5)).toBe("done");
    host.write(`${bus}/drivers/vfio_ap/unbind`, "06.0004");
    expect(host.assign(first, "domain", 4)).toBe("EADDRNOTAVAIL");
  });
});

describe("a queue that another mediated device has", () => {
  const newer = `<4>vfio_ap_mdev ${second}: Userspace may not assign queue 05.0004 to mdev: already assigned to ${first}`;
  const older = `<4>vfio_ap_mdev ${first}: Userspace may not re-assign queue 05.0004 already assigned to ${first}`;

  test.each([
    ["4.20", []],
    ["6.0", [older]],
    ["6.1", [newer]],
    ["6.12", [newer]],
    ["7.2", [newer]],
  ] as const)("%s: EADDRINUSE, and the log has %j", (kernel, log) => {
    const host = exampleHost(kernel);
    host.createMdev(first, { adapters: [5], domains: [4] });
    host.createMdev(second, { adapters: [5] });
    host.log();
    expect(host.assign(second, "domain", 4)).toBe("EADDRINUSE");
    expect(host.log()).toEqual(log);
    expect(host.matrix(second)).toEqual(["05."]);
  });

  test.each(dynamic)("%s: a line for each queue in common, none for EADDRNOTAVAIL", (kernel) => {
    const host = exampleHost(kernel);
    host.createMdev(first, { adapters: [5, 6], domains: [4, 0x47] });
    host.createMdev(second, { domains: [4, 0x47] });
    host.log();
    expect(host.assign(second, "adapter", 6)).toBe("EADDRINUSE");
    expect(host.log().map((text) => /queue (\S+)/.exec(text)?.[1])).toEqual(["06.0004", "06.0047"]);
    expect(host.assign(second, "adapter", 5)).toBe("EADDRINUSE");
    host.log();
    host.createMdev("aaaaaaaa-0000-4000-8000-000000000009", { adapters: [9] });
    host.log();
    expect(host.assign("aaaaaaaa-0000-4000-8000-000000000009", "domain", 0x50)).toBe("EADDRNOTAVAIL");
    expect(host.log()).toEqual([]);
  });
});

describe("a number above the maximum", () => {
  const options = { machine: { maxAdapter: 15, maxDomain: 84 }, usage: [4, 0x47] };

  test.each(kernels)("%s: ENODEV from the assign and unassign files", (kernel) => {
    const host = exampleHost(kernel, options);
    host.createMdev(first);
    expect(host.assign(first, "adapter", 16)).toBe("ENODEV");
    expect(host.assign(first, "domain", 85)).toBe("ENODEV");
    expect(host.assign(first, "control_domain", 85)).toBe("ENODEV");
    expect(host.unassign(first, "adapter", 16)).toBe("ENODEV");
    expect(host.unassign(first, "domain", 85)).toBe("ENODEV");
    expect(host.assign(first, "control_domain", 84)).toBe("done");
  });

  test("4.20: after EBUSY", () => {
    const host = exampleHost("4.20", options);
    host.createMdev(first, { adapters: [5], domains: [4] });
    host.startGuest("guest1", first);
    expect(host.assign(first, "adapter", 16)).toBe("EBUSY");
  });

  test.each(["6.12", "7.2"] as const)("%s: from ap_config last, after EADDRNOTAVAIL and EADDRINUSE", (kernel) => {
    const host = exampleHost(kernel, options);
    host.createMdev(first, { adapters: [5], domains: [4] });
    host.createMdev(second);
    const config = (adapters: string, domains: string): string => host.write(file(second, "ap_config"), `${adapters},${domains},0x0\n`);
    expect(config("0x00008", "0x08")).toBe("ENODEV");
    expect(config("0x04008", "0x08")).toBe("EADDRINUSE");
    expect(config("0x84008", "0x88")).toBe("EADDRNOTAVAIL");
    expect(host.matrix(second)).toEqual([]);
  });
});

describe("the order of the checks when something is assigned", () => {
  /** One more thing is wrong in each line than in the next. */
  const wrongs = [
    ["x", "EINVAL"],
    ["0x10000000000000000", "ERANGE"],
    ["300", "ENODEV"],
    ["9", "EADDRNOTAVAIL"],
    ["6", "EADDRINUSE"],
    ["5", "done"],
  ] as const;

  const prepared = (kernel: GenerationName): TestHost => {
    const host = exampleHost(kernel);
    host.write(`${bus}/aqmask`, "+4\n");
    host.write(`${bus}/apmask`, kernel === "4.20" ? "-9\n" : "+9\n");
    host.createMdev(second, { adapters: [6], domains: [4] });
    host.createMdev(first, { domains: [4] });
    return host;
  };

  test("4.20: EBUSY, the text, ENODEV, EADDRNOTAVAIL, EADDRINUSE", () => {
    const host = prepared("4.20");
    for (const [text, answer] of wrongs) expect([text, host.assign(first, "adapter", text)]).toEqual([text, answer]);
    host.startGuest("guest1", first);
    for (const [text] of wrongs) expect([text, host.assign(first, "adapter", text)]).toEqual([text, "EBUSY"]);
  });

  test.each(dynamic)("%s: the text, ENODEV, EADDRNOTAVAIL, EADDRINUSE, also while a guest runs", (kernel) => {
    const host = prepared(kernel);
    host.startGuest("guest1", first);
    for (const [text, answer] of wrongs) expect([text, host.assign(first, "adapter", text)]).toEqual([text, answer]);
  });
});

describe("files", () => {
  const present: Record<string, readonly GenerationName[]> = {
    [`${matrix}/${first}/guest_matrix`]: dynamic,
    [`${matrix}/${first}/ap_config`]: ["6.12", "7.2", "7.2-migration"],
    [`${matrix}/features`]: ["6.12", "7.2", "7.2-migration"],
    [`${bus}/features`]: ["6.12", "7.2", "7.2-migration"],
    [`${bus}/bindings_complete_count`]: ["7.2", "7.2-migration"],
    [`${bus}/scans`]: dynamic,
    [`${bus}/bindings`]: dynamic,
    [`${bus}/devices/05.0004/status`]: ["6.1", "6.12", "7.2", "7.2-migration"],
    [`${bus}/devices/05.0004/driver_override`]: ["7.2", "7.2-migration"],
    [`${bus}/devices/05.0004/ap_functions`]: ["6.12", "7.2", "7.2-migration"],
    [`${bus}/devices/card05/config`]: dynamic,
    [`${bus}/drivers/cex2acard`]: ["4.20", "6.0", "6.1"],
    [`${bus}/drivers/pcixcccard`]: ["4.20"],
    "/sys/bus/mdev/drivers/vfio_mdev": ["4.20"],
    "/sys/bus/mdev/drivers/vfio_ap_mdev": dynamic,
  };
  describe.each(Object.entries(present))("%s", (path, having) => {
    test.each(kernels)("%s: is there or not as that kernel has it", (kernel) => {
      const host = exampleHost(kernel);
      host.createMdev(first);
      expect(host.exists(path)).toBe(having.includes(kernel));
    });
  });

  test.each([
    ["6.12", "guest_matrix hotplug ap_config\n"],
    ["7.2", "guest_matrix hotplug ap_config\n"],
    ["7.2-migration", "guest_matrix hotplug ap_config migratable\n"],
  ] as const)("%s: the features of the matrix device are %j", (kernel, text) => {
    expect(exampleHost(kernel).read(`${matrix}/features`)).toBe(text);
  });

  test.each([
    ["6.0", "7\n"],
    ["6.1", "7\n"],
    ["6.12", "8\n"],
    ["7.2", "8\n"],
  ] as const)("%s: the depth of a card prints as %j", (kernel, text) => {
    expect(exampleHost(kernel).read(`${bus}/devices/card05/depth`)).toBe(text);
  });
});

describe("giving the host a queue that a mediated device has", () => {
  const prepared = (kernel: GenerationName): TestHost => {
    const host = exampleHost(kernel);
    host.createMdev(first, { adapters: [5], domains: [4] });
    host.forget();
    return host;
  };
  const newer = `<4>vfio_ap_mdev ${first}: Can not reserve queue 05.0004 for host driver: in use by mdev`;
  const older = `<4>vfio_ap_mdev ${first}: Userspace may not re-assign queue 05.0004 already assigned to ${first}`;

  test("4.20: is free: the queue is the host's at once", () => {
    const host = prepared("4.20");
    expect(host.write(`${bus}/aqmask`, "+4\n")).toBe("done");
    expect(host.write(`${bus}/apmask`, "+5\n")).toBe("done");
    expect(host.boundTo("cex4queue")).toContain("05.0004");
    expect(host.log()).toEqual([]);
  });

  test.each([
    ["6.0", older],
    ["6.1", newer],
    ["6.12", newer],
    ["7.2", newer],
  ] as const)("%s: EBUSY, the mask stays, and the log names the queue", (kernel, line) => {
    const host = prepared(kernel);
    const before = host.read(`${bus}/apmask`);
    host.write(`${bus}/aqmask`, "+4\n");
    host.log();
    const other = kernel === "7.2" ? "aqmask" : "apmask";
    expect(host.write(`${bus}/${other}`, other === "aqmask" ? "+4\n" : "+5\n")).toBe("EBUSY");
    expect(host.read(`${bus}/apmask`)).toBe(before);
    expect(host.log()).toEqual([line]);
    expect(host.boundTo("vfio_ap")).toContain("05.0004");
  });

  test.each([
    ["6.0", "done"],
    ["6.1", "done"],
    ["6.12", "done"],
    ["7.2", "EBUSY"],
  ] as const)("%s: a bit that alone would not give it away ends with %s", (kernel, answer) => {
    const host = prepared(kernel);
    expect(host.write(`${bus}/apmask`, "+5\n")).toBe(answer);
  });

  test.each(kernels)("%s: a half assignment never stands in the way", (kernel) => {
    const host = exampleHost(kernel);
    host.createMdev(first, { adapters: [5] });
    expect(host.write(`${bus}/apmask`, "+5\n")).toBe("done");
    expect(host.write(`${bus}/aqmask`, "+0-255\n")).toBe("done");
  });
});

describe("removing a mediated device in use", () => {
  test("4.20: EBUSY, and it stays as it was", () => {
    const host = withGuest("4.20");
    expect(host.write(file(first, "remove"), "1\n")).toBe("EBUSY");
    expect(host.exists(file(first, "remove"))).toBe(true);
    host.stopGuest("guest1");
    expect(host.write(file(first, "remove"), "1\n")).toBe("done");
    expect(host.exists(`${matrix}/${first}`)).toBe(false);
  });

  test.each(dynamic)("%s: blocks until the guest lets it go", (kernel) => {
    const host = withGuest(kernel);
    const removal = host.writeLater(file(first, "remove"), "1\n");
    host.host.settle();
    expect(removal.outcome).toBeUndefined();
    expect(host.exists(file(first, "remove"))).toBe(false);
    expect(host.stopGuest("guest1")).toBe("done");
    expect(removal.outcome).toEqual({ value: undefined });
    expect(host.exists(`${matrix}/${first}`)).toBe(false);
  });
});

describe("masks and overrides", () => {
  test("7.2: exclude each other: EINVAL", () => {
    const host = new TestHost(exampleMachine);
    host.write(`${bus}/devices/05.0004/driver_override`, "vfio_ap\n");
    expect(host.write(`${bus}/apmask`, "-5\n")).toBe("EINVAL");
  });

  test("7.2: who owns a queue is asked of the override of a bound queue, else of the masks", () => {
    const host = new TestHost(exampleMachine);
    host.write(`${bus}/devices/05.0004/driver_override`, "vfio_ap\n");
    host.write(`${bus}/drivers/cex4queue/unbind`, "05.0004");
    host.createMdev(first, { adapters: [5] });
    expect(host.assign(first, "domain", 4)).toBe("EADDRNOTAVAIL");
    host.write(`${bus}/drivers_probe`, "05.0004");
    expect(host.assign(first, "domain", 4)).toBe("done");
    expect(host.assign(first, "domain", 0x47)).toBe("EADDRNOTAVAIL");
  });
});

describe("no instance left", () => {
  test.each([
    ["4.20", "EPERM"],
    ["6.0", "EPERM"],
    ["6.1", "EUSERS"],
    ["6.12", "EUSERS"],
    ["7.2", "EUSERS"],
  ] as const)("%s: the 65537th create ends with %s", (kernel, errno) => {
    const host = new TestHost({ kernel });
    const create = (number: number): string => {
      host.uevents();
      return host.write(createFile, `${number.toString(16).padStart(8, "0")}-0000-4000-8000-000000000000`);
    };
    for (let number = 0; number < 65536; number++) if (create(number) !== "done") throw new Error(`create ${number} was refused`);
    expect(host.read(`${matrix}/mdev_supported_types/vfio_ap-passthrough/available_instances`)).toBe("0\n");
    expect(create(65536)).toBe(errno);
    expect(create(5)).toBe("EEXIST");
  });
});

describe("adapters older than CEX4", () => {
  const old = { adapters: { 1: "CEX2A", 2: "CEX3A", 3: "CEX2C", 4: "CEX3C", 5: "CEX5C" }, usage: [4] } as const;

  test("4.20: accelerators have the drivers cex2acard and cex2aqueue", () => {
    const host = new TestHost({ ...old, kernel: "4.20" });
    expect(host.boundTo("cex2acard")).toEqual(["card01", "card02"]);
    expect(host.boundTo("cex2aqueue")).toEqual(["01.0004", "02.0004"]);
    expect(host.read(`${bus}/devices/card01/type`)).toBe("CEX2A\n");
  });

  test("4.20: coprocessors have the drivers pcixcccard and pcixccqueue", () => {
    const host = new TestHost({ ...old, kernel: "4.20" });
    expect(host.boundTo("pcixcccard")).toEqual(["card03", "card04"]);
    expect(host.boundTo("pcixccqueue")).toEqual(["03.0004", "04.0004"]);
    expect([host.read(`${bus}/devices/card04/type`), host.read(`${bus}/devices/card04/hwtype`)]).toEqual(["CEX3C\n", "9\n"]);
  });

  test("4.20: they are never bound to vfio_ap, whatever the masks say", () => {
    const host = new TestHost({ ...old, kernel: "4.20" });
    host.write(`${bus}/apmask`, "0x0\n");
    expect(host.boundTo("vfio_ap")).toEqual(["05.0004"]);
    expect([host.boundTo("cex2aqueue"), host.boundTo("pcixccqueue")]).toEqual([[], []]);
    expect(host.write(`${bus}/drivers/vfio_ap/bind`, "01.0004")).toBe("ENODEV");
    host.createMdev(first);
    expect(host.assign(first, "adapter", 1)).toBe("EADDRNOTAVAIL");
  });

  test.each(["6.0", "6.1"] as const)("%s: they still have devices, and are never bound to vfio_ap", (kernel) => {
    const host = new TestHost({ ...old, kernel });
    expect(host.boundTo("cex2acard")).toEqual(["card01", "card02"]);
    host.write(`${bus}/apmask`, "0x0\n");
    expect(host.boundTo("vfio_ap")).toEqual(["05.0004"]);
  });

  test.each(["6.12", "7.2"] as const)("%s: there is no device for them", (kernel) => {
    const host = new TestHost({ ...old, kernel });
    expect(host.names(`${bus}/devices`)).toEqual(["05.0004", "card05"]);
  });
});

describe("other texts that differ", () => {
  test.each([
    ["4.20", [`<6>iommu: Adding device ${first} to group 0`, `<6>vfio_mdev ${first}: MDEV: group_id = 0`]],
    ...dynamic.map((kernel) => [kernel, [`<6>vfio_ap_mdev ${first}: Adding to iommu group 0`]] as const),
  ] as const)("%s: creating a device logs %j", (kernel, log) => {
    const host = exampleHost(kernel);
    host.write(createFile, `${first}\n`);
    expect(host.log()).toEqual(log);
  });

  test.each([
    ["6.0", "EINVAL"],
    ["6.1", "EINVAL"],
    ["6.12", "done"],
    ["7.2", "done"],
  ] as const)("%s: poll_thread takes the word `true` with %s", (kernel, answer) => {
    expect(exampleHost(kernel).write(`${bus}/poll_thread`, "true\n")).toBe(answer);
  });

  test.each([
    ["6.0", []],
    ["6.1", []],
    ["6.12", ["ZAPQ 05.0004", "ZAPQ 05.0047"]],
    ["7.2", ["ZAPQ 05.0004", "ZAPQ 05.0047"]],
  ] as const)("%s: queues of an adapter that is filtered out of a running guest are reset: %j", (kernel, resets) => {
    const host = exampleHost(kernel);
    host.createMdev(first, { adapters: [5], domains: [4, 0x47] });
    host.startGuest("guest1", first);
    host.write(`${bus}/aqmask`, "-9\n");
    host.forget();
    expect(host.assign(first, "domain", 9)).toBe("done");
    // Domain 9 is not the host's: nothing is filtered.
    expect(host.guestMatrix(first)).toEqual(["05.0004", "05.0047"]);
    host.write(`${bus}/drivers/vfio_ap/unbind`, "05.00ab");
    host.forget();
    expect(host.assign(first, "domain", 0xab)).toBe("done");
    expect(host.guestMatrix(first)).toEqual([".0004", ".0047", ".00ab"]);
    expect(host.resets()).toEqual(resets);
  });
});

test("every imitated kernel is in this file", () => {
  expect([...kernels].sort()).toEqual([...generationNames].sort());
});
