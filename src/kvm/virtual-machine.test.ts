import { describe, expect, test } from "vitest";
import { aqic, dqap, nqap, pqap, tapq } from "../../test/support/instructions.ts";
import { apqn } from "../ap/apqn.ts";
import { Mask } from "../ap/mask.ts";
import { type DomainMasks, Facility } from "../ap/platform.ts";
import { decodeQci, qciBlockBytes } from "../ap/qci.ts";
import type { AdapterRequest } from "../machine/adapter/processor.ts";
import { adapterProfile } from "../machine/adapter-profile.ts";
import { fullMachine } from "../machine/lpar.ts";
import { Machine } from "../machine/machine.ts";
import { allGuestFacilities, type GuestFacilities, VirtualMachine } from "./virtual-machine.ts";

const own = apqn(5, 4);
const foreign = apqn(6, 4);

function guestWith(facilities: Partial<GuestFacilities> = {}, machineFacilities: Partial<typeof fullMachine.facilities> = {}) {
  const machine = new Machine({ ...fullMachine, facilities: { ...fullMachine.facilities, ...machineFacilities } }, () => 0);
  for (const id of [5, 6]) machine.addAdapter(id, adapterProfile(13, "cca"));
  for (const domain of [4, 8]) machine.setUsageDomain(domain, true);
  machine.setControlDomain(4, true);
  const vm = new VirtualMachine(machine, { ...allGuestFacilities, ...facilities });
  vm.setMasks({ adapters: Mask.of(5, 9), usageDomains: Mask.of(4, 20), controlDomains: Mask.of(4, 9) });
  return { machine, vm };
}

describe("the format of a guest's control block", () => {
  test.each([
    [{}, {}, 2],
    [{}, { apxa: false }, 1],
    [{}, { qci: false }, 1],
    [{ msa3: false }, {}, 0],
    [{ msa3: false }, { apxa: false }, 0],
  ] as const)("with guest %j on machine %j is %d", (guest, machine, format) => {
    expect(guestWith(guest, machine).vm.crycb.format).toBe(format);
  });
});

describe("instructions are interpreted through the masks", () => {
  test("a queue inside is the machine's own", () => {
    const { vm } = guestWith();
    expect(tapq(vm, own)).toMatchObject({ result: 0, status: 0x80000000 });
    expect(tapq(vm, own).registers[5]! >>> 24).toBe(13);
    expect(nqap(vm, own, Uint8Array.of(1)).result).toBe(0);
    expect(dqap(vm, own).result).toBe(0);
    for (const name of ["rapq", "zapq"] as const) expect(pqap(vm, name, { queue: own }).result).toBe(0);
  });

  test.each([foreign, apqn(5, 8), apqn(9, 8), 0xffff].map((queue) => [queue.toString(16), queue] as const))(
    "queue 0x%s outside is not available, and the machine hears nothing",
    (_hex, queue) => {
      const { vm, machine } = guestWith();
      machine.observeResets(() => expect.unreachable());
      for (const name of ["tapq", "rapq", "zapq"] as const) expect(pqap(vm, name, { queue })).toMatchObject({ result: 3, status: 0x10000 });
      expect(nqap(vm, queue, Uint8Array.of(1))).toMatchObject({ result: 3, status: 0x10000 });
      expect(dqap(vm, queue)).toMatchObject({ result: 3, status: 0x10000 });
    },
  );

  test("a queue inside that the machine has not is not available either", () => {
    expect(tapq(guestWith().vm, apqn(9, 20))).toMatchObject({ result: 3, responseCode: 1 });
  });

  test("TAPQ of a queue outside tells nothing", () => {
    const { registers } = pqap(guestWith().vm, "tapq", { queue: foreign, flags: 0x00800000, gr2: [7, 7] });
    expect([registers[4], registers[5]]).toEqual([0, 0]);
  });

  test("masks that are cleared leave no queue", () => {
    const { vm } = guestWith();
    vm.clearMasks();
    expect(tapq(vm, own).responseCode).toBe(1);
  });

  test("without APXA a number that needs it is a specification exception", () => {
    const { vm } = guestWith({ msa3: false });
    for (const queue of [apqn(64, 0), apqn(0, 16), apqn(128, 4)]) {
      expect(tapq(vm, queue).result).toBe("specification");
      expect(nqap(vm, queue, Uint8Array.of(1)).result).toBe("specification");
      expect(dqap(vm, queue).result).toBe("specification");
    }
    expect(tapq(vm, own).result).toBe(0);
  });

  test("a guest without AP gets operation exceptions and has no masks", () => {
    const { vm } = guestWith({ ap: false });
    for (let code = 0; code <= 8; code++) expect(pqap(vm, code, { queue: own, problemState: true }).result).toBe("operation");
    expect(nqap(vm, own, Uint8Array.of(1)).result).toBe("operation");
    expect(dqap(vm, own).result).toBe("operation");
    expect(vm.masks.adapters.isEmpty).toBe(true);
  });

  test("in problem state all three are privileged operations", () => {
    const { vm } = guestWith();
    for (let code = 0; code <= 8; code++) expect(pqap(vm, code, { queue: own, problemState: true }).result).toBe("privileged-operation");
    expect(nqap(vm, own, Uint8Array.of(1), { problemState: true }).result).toBe("privileged-operation");
    expect(dqap(vm, own, { problemState: true }).result).toBe("privileged-operation");
  });

  test("the T bit needs facility 15 in the guest", () => {
    expect(tapq(guestWith({ apft: false }).vm, own).result).toBe("specification");
    expect(pqap(guestWith({ apft: false }).vm, "tapq", { queue: own }).result).toBe(0);
  });
});

describe("a message comes to the adapter with the domains of its sender", () => {
  const numbers = ({ usageDomains, controlDomains }: DomainMasks) => ({ usage: [...usageDomains], control: [...controlDomains] });

  function senders() {
    const sent: AdapterRequest[] = [];
    const machine = new Machine(
      fullMachine,
      () => 0,
      (request) => sent.push(request),
    );
    machine.addAdapter(5, adapterProfile(13, "cca"));
    for (const domain of [4, 8]) machine.setUsageDomain(domain, true);
    for (const domain of [4, 8, 30, 31]) machine.setControlDomain(domain, true);
    const vm = new VirtualMachine(machine);
    vm.setMasks({ adapters: Mask.of(5), usageDomains: Mask.of(4, 20), controlDomains: Mask.of(9, 30, 31) });
    return { sent, machine, vm };
  }

  test("from the host: all of the LPAR", () => {
    const { sent, machine } = senders();
    nqap(machine, own, Uint8Array.of(1));
    expect(sent.map(numbers)).toEqual([{ usage: [4, 8], control: [4, 8, 30, 31] }]);
  });

  test("from a guest: those of its masks that the LPAR has, as they are at that moment", () => {
    const { sent, machine, vm } = senders();
    nqap(vm, own, Uint8Array.of(1));
    vm.setMasks({ ...vm.masks, controlDomains: Mask.of(8) });
    machine.setUsageDomain(20, true);
    nqap(vm, own, Uint8Array.of(1));
    expect(sent.map(numbers)).toEqual([
      { usage: [4], control: [30, 31] },
      { usage: [4, 20], control: [8] },
    ]);
  });

  test("from a guest of a guest: not more than the outer one has", () => {
    const { sent, vm } = senders();
    const inner = new VirtualMachine(vm);
    inner.setMasks({ adapters: Mask.of(5), usageDomains: Mask.of(4, 8), controlDomains: Mask.of(4, 31) });
    nqap(inner, own, Uint8Array.of(1));
    expect(sent.map(numbers)).toEqual([{ usage: [4], control: [31] }]);
  });
});

describe("facilities that a guest sees", () => {
  test.each([
    [{}, {}, [true, true, true]],
    [{ qci: false }, {}, [false, true, true]],
    [{ apft: false }, {}, [true, false, true]],
    [{ apqi: false }, {}, [true, true, false]],
    [{ ap: false }, {}, [false, false, false]],
    [{}, { qci: false, apqi: false }, [false, true, false]],
  ] as const)("with guest %j on machine %j: QCI, APFT, AP interrupts are %j", (guest, machine, expected) => {
    const { vm } = guestWith(guest, machine);
    expect([Facility.qci, Facility.apft, Facility.apqi].map((bit) => vm.hasFacility(bit))).toEqual(expected);
  });
});

describe("QCI in a guest", () => {
  test("tells what the guest and the machine both have", () => {
    const { vm } = guestWith();
    const { result, memory } = pqap(vm, "qci", { gr2: [0, 0x200] });
    const block = decodeQci(memory.subarray(0x200, 0x200 + qciBlockBytes));
    expect(result).toBe(0);
    expect([[...block.adapters], [...block.usageDomains], [...block.controlDomains]]).toEqual([[5], [4], [4]]);
    expect(block).toMatchObject({ apsc: true, apxa: true, maxAdapter: 255, maxDomain: 255 });
  });

  test("shows no extended addressing where the control block has none", () => {
    const { memory } = pqap(guestWith({ msa3: false }).vm, "qci", { gr2: [0, 0x200] });
    expect(decodeQci(memory.subarray(0x200, 0x200 + qciBlockBytes)).apxa).toBe(false);
  });

  test("is a specification exception without the facility, an addressing exception outside memory", () => {
    expect(pqap(guestWith({ qci: false }).vm, "qci", {}).result).toBe("specification");
    expect(pqap(guestWith().vm, "qci", { gr2: [9, 0] }).result).toBe("addressing");
  });
});

describe("AQIC is intercepted, and checked in the kernel's order", () => {
  const hooked = (facilities: Partial<GuestFacilities>, status: number | undefined = 0x80000000) => {
    const { vm } = guestWith(facilities);
    const calls: number[] = [];
    vm.aqicHook = ({ queue }) => {
      calls.push(queue);
      return status;
    };
    return { vm, calls };
  };

  test.each([
    ["no AP, whatever else is wrong", { ap: false, apqi: false }, 0x007f0000, true, "operation"],
    ["problem state before reserved bits", {}, 0x007f0000, true, "privileged-operation"],
    ["reserved bits", {}, 0x00010000, false, "specification"],
    ["the T bit without facility 15", { apft: false }, 0x00800000, false, "specification"],
    ["a number that needs APXA without it", { msa3: false }, 0x00000010, false, "specification"],
    ["no facility 65", { apqi: false }, 0, false, "specification"],
  ] as const)("%s", (_title, facilities, flags, problemState, result) => {
    const { vm, calls } = hooked(facilities);
    expect(pqap(vm, "aqic", { queue: own, flags, problemState }).result).toBe(result);
    expect(calls).toEqual([]);
  });

  test("the hook is called whatever the masks say, and its status and condition code are the guest's", () => {
    const { vm, calls } = hooked({});
    expect(aqic(vm, foreign, true)).toMatchObject({ result: 0, status: 0x80000000 });
    expect(calls).toEqual([foreign]);
    const refusing = hooked({}, 0x00060000);
    expect(aqic(refusing.vm, own, true)).toMatchObject({ result: 3, status: 0x00060000 });
    expect(aqic(refusing.vm, own, true).registers[2]).toBe(0);
  });

  test("the T bit is no matter where facility 15 is there", () => {
    expect(pqap(hooked({}).vm, "aqic", { queue: own, flags: 0x00800000 }).result).toBe(0);
  });

  test("a hook that leaves it to user space ends in an operation exception", () => {
    const { vm } = guestWith();
    vm.aqicHook = () => undefined;
    expect(aqic(vm, own, true).result).toBe("operation");
  });

  test("without a hook no queue is available, and the status is in the right half of the register", () => {
    const { vm } = guestWith();
    const { result, registers } = aqic(vm, own, true);
    expect([result, registers[2], registers[3]]).toEqual([3, 0, 0x00010000]);
  });
});

test("a guest is told of changed configurations and of interrupts", () => {
  const { vm } = guestWith();
  const heard: unknown[] = [];
  vm.listen({ configurationChanged: () => heard.push("configuration"), queueInterrupt: (queue) => heard.push(queue) });
  vm.listen({});
  vm.announceConfigurationChange();
  vm.interruptQueue(own);
  expect(heard).toEqual(["configuration", own]);
});
