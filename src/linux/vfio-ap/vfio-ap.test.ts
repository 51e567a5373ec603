import { describe, expect, test } from "vitest";
import { aqic, dqap, nqap, tapq } from "../../../test/support/instructions.ts";
import { exampleHost, exampleMachine, matrix, TestHost, uuids } from "../../../test/support/test-host.ts";
import { VirtualMachine } from "../../kvm/virtual-machine.ts";
import { silentProcessor } from "../../machine/adapter/processor.ts";

const [first, second] = uuids;
const bus = "/sys/bus/ap";
const status = (host: TestHost, queue: string): string => host.read(`${bus}/devices/${queue}/status`).trim();

/** Adapters 5 and 6 with domains 4 and 0x47 in a running guest. */
function withGuest(options = {}): TestHost {
  const host = exampleHost("7.2", options);
  expect(host.createMdev(first, { adapters: [5, 6], domains: [4, 0x47], control: [4] })).toBe("done");
  expect(host.startGuest("guest1", first)).toBe("done");
  host.forget();
  return host;
}

describe("a guest opens its device", () => {
  test("and has what the host filtered for it; on closing it has nothing, and every queue is reset", () => {
    const host = withGuest();
    expect(host.apcb("guest1")).toEqual(["05.0004", "05.0047", "06.0004", "06.0047"]);
    expect(host.resets()).toEqual([]);
    expect(host.stopGuest("guest1")).toBe("done");
    expect([host.apcb("guest1"), host.adm("guest1")]).toEqual([[], []]);
    expect(host.resets().sort()).toEqual(["ZAPQ 05.0004", "ZAPQ 05.0047", "ZAPQ 06.0004", "ZAPQ 06.0047"]);
    expect(host.guestMatrix(first).length).toBe(4);
  });

  test("a device that is open is busy, a second one for the same machine is not permitted, an unknown one is not there", () => {
    const host = withGuest();
    host.createMdev(second);
    expect(host.startGuest("guest2", first)).toBe("EBUSY");
    expect(host.startGuest("guest1", second)).toBe("EPERM");
    expect(host.startGuest("guest2", uuids[2])).toBe("ENOENT");
    expect(host.startGuest("guest2", second)).toBe("done");
    expect(host.stopGuest("guest1")).toBe("done");
    expect(host.stopGuest("guest1")).toBe("ENODEV");
    expect(host.startGuest("guest1", first)).toBe("done");
  });

  test("a failed open leaves the device free", () => {
    const host = withGuest();
    host.createMdev(second);
    host.startGuest("guest1", second);
    expect(host.write(`${matrix}/${second}/remove`, "1\n")).toBe("done");
  });
});

describe("the status of a queue", () => {
  test("is unassigned, assigned or in use", () => {
    const host = withGuest();
    expect([status(host, "05.0004"), status(host, "05.00ab")]).toEqual(["in use", "unassigned"]);
    host.stopGuest("guest1");
    expect(status(host, "05.0004")).toBe("assigned");
    host.unassign(first, "adapter", 5);
    expect(status(host, "05.0004")).toBe("unassigned");
  });

  test("is assigned for one that is filtered out of a running guest", () => {
    const host = withGuest();
    host.write(`${bus}/drivers/vfio_ap/unbind`, "05.0047");
    expect(host.apcb("guest1")).toEqual(["06.0004", "06.0047"]);
    expect([status(host, "05.0004"), status(host, "06.0004")]).toEqual(["assigned", "in use"]);
  });
});

describe("filtering", () => {
  test("leaves out whole adapters, never domains", () => {
    const host = exampleHost("7.2");
    host.write(`${bus}/drivers/vfio_ap/unbind`, "05.00ab");
    host.createMdev(first, { adapters: [5, 6], domains: [4, 0xab] });
    expect(host.matrix(first)).toEqual(["05.0004", "05.00ab", "06.0004", "06.00ab"]);
    expect(host.guestMatrix(first)).toEqual(["06.0004", "06.00ab"]);
  });

  test("filters nothing while there is no domain", () => {
    const host = exampleHost("7.2");
    host.write(`${bus}/drivers/vfio_ap/unbind`, "05.0004");
    host.createMdev(first, { adapters: [5, 6] });
    expect(host.guestMatrix(first)).toEqual(["05.", "06."]);
  });

  test("is not done again by unassigning: what was left out stays out until something is assigned", () => {
    const host = exampleHost("7.2");
    host.write(`${bus}/drivers/vfio_ap/unbind`, "05.00ab");
    host.createMdev(first, { adapters: [5, 6], domains: [4, 0xab] });
    host.unassign(first, "domain", 0xab);
    expect(host.guestMatrix(first)).toEqual(["06.0004"]);
    host.assign(first, "domain", 0x47);
    expect(host.guestMatrix(first)).toEqual(["05.0004", "05.0047", "06.0004", "06.0047"]);
  });

  test("lets a deconfigured or checkstopped adapter pass", () => {
    const host = withGuest();
    host.hardware((machine) => machine.setConfigured(5, false));
    host.hardware((machine) => machine.setCheckstop(6, true));
    host.unassign(first, "domain", 0x47);
    host.assign(first, "domain", 0xab);
    expect(host.guestMatrix(first)).toEqual(["05.0004", "05.00ab", "06.0004", "06.00ab"]);
  });

  test("takes control domains that the host has not", () => {
    const host = exampleHost("7.2", { control: [4] });
    host.createMdev(first, { control: [4, 9] });
    host.startGuest("guest1", first);
    expect(host.read(`${matrix}/${first}/control_domains`)).toBe("0004\n0009\n");
    expect(host.adm("guest1")).toEqual([4]);
  });
});

describe("unbinding a queue from vfio_ap", () => {
  test("takes its adapter from the guest and resets what the guest had of it; binding brings it back", () => {
    const host = withGuest();
    expect(host.write(`${bus}/drivers/vfio_ap/unbind`, "05.0004")).toBe("done");
    expect(host.apcb("guest1")).toEqual(["06.0004", "06.0047"]);
    expect(host.matrix(first).length).toBe(4);
    expect(host.exists(`${bus}/devices/05.0004/status`)).toBe(false);
    expect(host.resets()).toEqual(["ZAPQ 05.0004", "ZAPQ 05.0047", "ZAPQ 05.0004"]);
    host.write(`${bus}/drivers/vfio_ap/bind`, "05.0004");
    expect(host.apcb("guest1").length).toBe(4);
  });

  test("resets it also when no guest has it", () => {
    const host = exampleHost("7.2");
    host.write(`${bus}/drivers/vfio_ap/unbind`, "05.0004");
    expect(host.resets()).toEqual(["ZAPQ 05.0004", "ZAPQ 05.0004"]);
  });
});

describe("changes of the host's configuration", () => {
  test("what goes is taken from the guest, the matrix keeps it, and what comes back is plugged in", () => {
    const host = withGuest();
    host.hardware((machine) => machine.removeAdapter(5));
    expect(host.apcb("guest1")).toEqual(["06.0004", "06.0047"]);
    expect(host.matrix(first).length).toBe(4);
    host.hardware((machine) => machine.setUsageDomain(0x47, false));
    expect(host.apcb("guest1")).toEqual(["06.0004"]);
    host.addAdapter(5, "CEX5C");
    expect(host.apcb("guest1")).toEqual(["05.0004", "06.0004"]);
    host.hardware((machine) => machine.setUsageDomain(0x47, true));
    expect(host.apcb("guest1")).toEqual(host.matrix(first));
  });

  test("a guest's masks are pushed also when one of them becomes empty", () => {
    const host = withGuest();
    host.hardware((machine) => {
      machine.removeAdapter(5);
      machine.removeAdapter(6);
    });
    expect(host.guestMatrix(first)).toEqual([".0004", ".0047"]);
    expect(host.apcb("guest1")).toEqual([".0004", ".0047"]);
    expect(tapq(host.guest("guest1").vm, 0x0504).responseCode).toBe(1);
  });

  test("a control domain that goes leaves the guest at once", () => {
    const host = withGuest();
    expect(host.adm("guest1")).toEqual([4]);
    host.hardware((machine) => machine.setControlDomain(4, false));
    expect(host.adm("guest1")).toEqual([]);
    expect(host.read(`${matrix}/${first}/control_domains`)).toBe("0004\n");
    host.hardware((machine) => machine.setControlDomain(4, true));
    expect(host.adm("guest1")).toEqual([4]);
  });
});

describe("resets that take time", () => {
  const slow = { machine: { resetDurationMs: 50 } };

  test("hold up the one who asked for them, and the log says how long", () => {
    const host = withGuest(slow);
    host.advance(1000);
    const wait = host.writeLater(`${matrix}/${first}/unassign_adapter`, "5\n");
    expect(host.apcb("guest1")).toEqual(["06.0004", "06.0047"]);
    expect(host.resets()).toEqual(["ZAPQ 05.0004", "ZAPQ 05.0047"]);
    host.advance(40);
    expect([host.log(), wait.outcome]).toEqual([
      [
        "<5>vfio_ap: Waited 20ms for reset of queue 05.0004 (2, 0, 0)",
        "<5>vfio_ap: Waited 20ms for reset of queue 05.0047 (2, 0, 0)",
        "<5>vfio_ap: Waited 40ms for reset of queue 05.0004 (2, 0, 0)",
        "<5>vfio_ap: Waited 40ms for reset of queue 05.0047 (2, 0, 0)",
      ],
      undefined,
    ]);
    host.advance(20);
    expect([host.log(), wait.outcome]).toEqual([[], { value: undefined }]);
  });

  test("that met another reset are done again when that is over", () => {
    const host = withGuest(slow);
    host.advance(1000);
    host.host.machine.pqap({
      registers: new Uint32Array(32).fill(0).with(1, (1 << 24) | 0x0504),
      memory: { read: () => new Uint8Array(), write: () => {} },
      problemState: false,
    });
    host.resets();
    host.writeLater(`${matrix}/${first}/unassign_domain`, "4\n");
    host.advance(50);
    expect(host.resets()).toEqual(["ZAPQ 06.0004"]);
    host.advance(200);
    expect(host.resets()).toEqual(["ZAPQ 05.0004"]);
  });

  test("that are done at once are not waited 20 ms for", () => {
    const host = withGuest();
    const before = host.host.timers.nowMs;
    expect(host.unassign(first, "adapter", 5)).toBe("done");
    expect([host.host.timers.nowMs, host.log()]).toEqual([before, []]);
  });

  test("other readers and writers go on meanwhile", () => {
    const host = withGuest(slow);
    host.advance(1000);
    const wait = host.writeLater(`${matrix}/${first}/unassign_adapter`, "5\n");
    expect(host.matrix(first)).toEqual(["06.0004", "06.0047"]);
    expect(host.host.write(`${bus}/config_time`, "60\n")).toBeUndefined();
    const second = host.writeLater(`${matrix}/${first}/unassign_adapter`, "6\n");
    host.host.settle();
    expect([wait.outcome, second.outcome]).toEqual([{ value: undefined }, { value: undefined }]);
    expect(host.matrix(first)).toEqual([".0004", ".0047"]);
  });
});

describe("nothing that a guest loses stays readable", () => {
  const losses: [string, (host: TestHost) => void][] = [
    ["its adapter is unassigned", (host) => host.unassign(first, "adapter", 5)],
    ["its domain is unassigned", (host) => host.unassign(first, "domain", 4)],
    ["ap_config takes it away", (host) => host.write(`${matrix}/${first}/ap_config`, "0x0,0x0,0x0\n")],
    ["the queue is unbound", (host) => host.write(`${bus}/drivers/vfio_ap/unbind`, "05.0004")],
    ["another queue of the adapter is unbound", (host) => host.write(`${bus}/drivers/vfio_ap/unbind`, "05.0047")],
    ["the guest ends", (host) => host.stopGuest("guest1")],
  ];
  test.each(losses)("when %s", (_title, lose) => {
    const host = withGuest({ processor: silentProcessor });
    nqap(host.guest("guest1").vm, 0x0504, Uint8Array.of(1));
    expect(tapq(host.host.machine, 0x0504).status >>> 31).toBe(0);
    lose(host);
    expect(tapq(host.host.machine, 0x0504).status >>> 31).toBe(1);
    expect(dqap(host.guest("guest1").vm, 0x0504).responseCode).toBe(1);
  });
});

describe("interrupts of a guest", () => {
  test("are switched by the host for queues that are linked, whatever the guest's masks say", () => {
    const host = withGuest();
    const { vm } = host.guest("guest1");
    expect(aqic(vm, 0x0504, true)).toMatchObject({ result: 0, responseCode: 0 });
    expect(tapq(vm, 0x0504).status & 0x01000000).toBe(0x01000000);
    expect(aqic(vm, 0x0504, true)).toMatchObject({ result: 3, responseCode: 7 });
    expect(aqic(vm, 0x0504, false)).toMatchObject({ result: 0, responseCode: 0 });
    expect(aqic(vm, 0x05ab, true)).toMatchObject({ result: 3, responseCode: 1 });
    expect(aqic(vm, 0x0504, true, 0)).toMatchObject({ result: 3, responseCode: 6 });
  });

  test("are taken over from the bus, which switches them on for itself when it finds a queue", () => {
    const host = withGuest();
    host.write(`${bus}/apmask`, "-7\n");
    host.addAdapter(7, "CEX7C");
    expect(host.assign(first, "adapter", 7)).toBe("done");
    const { vm } = host.guest("guest1");
    expect(tapq(vm, 0x0704).status & 0x01000000).toBe(0x01000000);
    expect(aqic(vm, 0x0704, true)).toMatchObject({ result: 0, responseCode: 0 });
    const interrupts: number[] = [];
    vm.listen({ queueInterrupt: (queue) => interrupts.push(queue) });
    nqap(vm, 0x0704, Uint8Array.of(1));
    expect(interrupts).toEqual([0x0704]);
    expect(aqic(vm, 0x0704, true)).toMatchObject({ result: 3, responseCode: 7 });
  });

  test("are off after the guest let its device go", () => {
    const host = withGuest();
    const { vm } = host.guest("guest1");
    aqic(vm, 0x0504, true);
    host.stopGuest("guest1");
    expect(tapq(host.host.machine, 0x0504).status & 0x01000000).toBe(0);
    expect(aqic(vm, 0x0504, true).responseCode).toBe(1);
  });

  test("with a response that is no success are switched off again and logged", () => {
    const host = withGuest();
    host.host.machine.setConfigured(5, false);
    expect(aqic(host.guest("guest1").vm, 0x0504, true).responseCode).toBe(3);
    expect(host.log()).toEqual(["<4>vfio_ap: vfio_ap_irq_enable: apqn 0504: response: 03"]);
  });
});

describe("VFIO_DEVICE_RESET", () => {
  const reset = (host: TestHost): string => {
    const { vfioAp } = host.host.linux;
    return host.run(() => host.host.queue.run(vfioAp!.reset(vfioAp!.matrixMdev(first)!)));
  };

  test("resets every queue of the device; EIO when one did not take it, also a deconfigured one", () => {
    const host = withGuest();
    expect(reset(host)).toBe("done");
    expect(host.resets().length).toBe(4);
    host.hardware((machine) => machine.setConfigured(5, false));
    expect(reset(host)).toBe("EIO");
  });
});

describe("removing a device that is in use", () => {
  const prefix = `vfio_ap_mdev ${first}:`;

  test("logs once that nobody asked to be told, takes the guest's queues, and waits", () => {
    const host = withGuest();
    const removal = host.writeLater(`${matrix}/${first}/remove`, "1\n");
    expect(host.log()).toEqual([`<5>${prefix} No device request registered, blocked until released by user`]);
    expect(host.apcb("guest1")).toEqual([]);
    host.advance(60_000);
    expect([host.log(), removal.outcome]).toEqual([[], undefined]);
    expect(host.read(`${matrix}/mdev_supported_types/vfio_ap-passthrough/available_instances`)).toBe("65535\n");
    host.stopGuest("guest1");
    expect(removal.outcome).toEqual({ value: undefined });
    expect(host.read(`${matrix}/mdev_supported_types/vfio_ap-passthrough/available_instances`)).toBe("65536\n");
    expect(host.log()).toEqual([`<6>${prefix} Removing from iommu group 0`]);
  });

  test("asks a user that can be asked every ten seconds, and logs every tenth time", () => {
    const host = exampleHost("7.2");
    host.createMdev(first, { adapters: [5], domains: [4] });
    const { queue, linux, machine } = host.host;
    const asked: number[] = [];
    let changes = 0;
    const vm = new VirtualMachine(machine);
    queue.run(linux.vfioAp!.open(first, { vm, onRequest: (count) => asked.push(count), onConfigurationChange: () => changes++ }));
    host.forget();
    changes = 0;
    const removal = host.writeLater(`${matrix}/${first}/remove`, "1\n");
    expect([asked, changes, vm.masks.adapters.isEmpty]).toEqual([[0], 1, true]);
    host.advance(9_999);
    expect(asked).toEqual([0]);
    host.advance(200_001);
    expect(asked).toEqual(Array.from({ length: 22 }, (_, count) => count));
    expect(host.log()).toEqual([0, 10, 20].map((count) => `<5>${prefix} Relaying device request to user (#${count})`));
    host.run(() => queue.run(linux.vfioAp!.close(linux.vfioAp!.matrixMdev(first)!)));
    expect(removal.outcome).toEqual({ value: undefined });
    host.advance(60_000);
    expect(asked.length).toBe(22);
  });

  test("a signal lets the writer go with EINTR after the kernel's line, once, and the removal stays pending", () => {
    const host = withGuest();
    const removal = host.writeLater(`${matrix}/${first}/remove`, "1\n");
    host.log();
    removal.interrupt({ command: "bash", pid: 4711 });
    removal.interrupt({ command: "bash", pid: 4711 });
    expect(removal.outcome).toMatchObject({ error: { code: "EINTR" } });
    expect(host.log()).toEqual([`<4>${prefix} Device is currently in use, task "bash" (4711) blocked until device is released`]);
    expect(host.exists(`${matrix}/${first}`)).toBe(true);
    expect(host.write(`${matrix}/${first}/remove`, "1\n")).toBe("ENOENT");
    host.stopGuest("guest1");
    expect(host.exists(`${matrix}/${first}`)).toBe(false);
  });

  test("nobody can open it any more, and others work on", () => {
    const host = withGuest();
    host.writeLater(`${matrix}/${first}/remove`, "1\n");
    expect(host.startGuest("guest2", first)).toBe("EBUSY");
    expect(host.createMdev(second, { adapters: [5] })).toBe("done");
    expect(host.createMdev(first)).toBe("EEXIST");
    host.stopGuest("guest1");
    expect(host.createMdev(first)).toBe("done");
    expect(host.guestMatrix(first)).toEqual([]);
  });

  test("its queues are reset, and free for others", () => {
    const host = withGuest();
    host.stopGuest("guest1");
    host.forget();
    host.write(`${matrix}/${first}/remove`, "1\n");
    expect(host.resets().length).toBe(4);
    expect(status(host, "05.0004")).toBe("unassigned");
    expect(host.createMdev(second, { adapters: [5, 6], domains: [4, 0x47] })).toBe("done");
  });
});

describe("numbers in the assign files", () => {
  test.each([
    ["4", "done"],
    ["0x4\n", "done"],
    ["004", "done"],
    ["+4", "done"],
    ["08", "EINVAL"],
    ["4 ", "EINVAL"],
    [" 4", "EINVAL"],
    ["-4", "EINVAL"],
    ["0x", "EINVAL"],
    ["\n", "EINVAL"],
    ["256", "ENODEV"],
    ["18446744073709551615", "ENODEV"],
    ["18446744073709551616", "ERANGE"],
  ])("%j ends with %s in all six", (text, answer) => {
    const host = new TestHost(exampleMachine);
    host.createMdev(first);
    for (const name of ["adapter", "domain", "control_domain"]) {
      for (const verb of ["assign", "unassign"]) expect(host.write(`${matrix}/${first}/${verb}_${name}`, text)).toBe(answer);
    }
  });
});
