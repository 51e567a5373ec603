import { beforeEach, describe, expect, test } from "vitest";
import { dqap, nqap } from "../../test/support/instructions.ts";
import { codesOf, masterKey } from "../../test/support/key-messages.ts";
import { exampleHost, matrix, type TestHost, uuids } from "../../test/support/test-host.ts";
import { Errno } from "../sysfs/errno.ts";
import { Refusal } from "./control-protocol.ts";

/** The guest has 05.0004, 05.00ab and control domain 4 of the mediated device `own`. */
const [own, other] = uuids;
const guestMatrix = { adapters: [5], domains: [4, 0xab], controlDomains: [4] };
const question = { of: "matrix", guest: "guest1", uuid: own, matrix: guestMatrix } as const;
let host: TestHost;

const command = (request: Readonly<Record<string, unknown>>): unknown => {
  try {
    return host.host.command(request);
  } catch (error) {
    if (error instanceof Errno) return error.code;
    if (error instanceof Refusal) return error.message;
    throw error;
  }
};
const hold = (): unknown => command({ do: "migration-hold", action: "take", about: question });
const load = (adapter: number, domain: number, isPartial = false): unknown =>
  command({ do: "key", action: "load", adapter, domain, kind: "aes", parts: [], isPartial, isSet: false });
const lines = (): string[] => host.log().filter((line) => line.includes("migrates"));

beforeEach(() => {
  host = exampleHost("7.2-migration");
  for (const uuid of [own, other]) host.createMdev(uuid);
  host.assign(own, "adapter", 5);
  host.assign(own, "domain", 4);
  host.log();
});

describe("while a guest migrates", () => {
  beforeEach(() => void hold());

  test.each([
    ["apmask", "+5", "apmask: adapter 05"],
    ["aqmask", "+0xab", "aqmask: domain 00ab"],
  ])("%s cannot take %s from it: EBUSY and a line", (attribute, text, what) => {
    expect(host.write(`/sys/bus/ap/${attribute}`, text)).toBe("EBUSY");
    expect(lines()).toEqual([`<4>adjunct: ${what} cannot change while guest guest1 migrates`]);
  });

  test("masks of other adapters and domains change", () => {
    expect([host.write("/sys/bus/ap/apmask", "-9"), host.write("/sys/bus/ap/aqmask", "-9"), lines()]).toEqual(["done", "done", []]);
  });

  test.each(["assign_adapter 6", "unassign_adapter 5", "assign_domain 0xab", "unassign_domain 4", "assign_control_domain 7"])(
    "its mediated device refuses %s with EBUSY and a line",
    (text) => {
      const [attribute, number = ""] = text.split(" ");
      expect(host.write(`${matrix}/${own}/${attribute}`, number)).toBe("EBUSY");
      expect(lines()).toEqual([`<4>adjunct: vfio_ap_mdev ${own}: its matrix cannot change while guest guest1 migrates`]);
    },
  );

  test("its mediated device refuses another ap_config and takes the one that it has", () => {
    const now = host.read(`${matrix}/${own}/ap_config`);
    expect(host.write(`${matrix}/${own}/ap_config`, now)).toBe("done");
    expect(host.write(`${matrix}/${own}/ap_config`, "0,0,0\n")).toBe("EBUSY");
    expect(lines()).toHaveLength(1);
  });

  test("what changes nothing is done", () => {
    expect(host.write(`${matrix}/${own}/assign_adapter`, "5")).toBe("done");
    expect(host.write("/sys/bus/ap/apmask", "-5")).toBe("done");
  });

  test("another mediated device cannot take a queue that comes to the guest, and all others", () => {
    expect(host.write(`${matrix}/${other}/assign_domain`, "0xab")).toBe("done");
    expect(host.write(`${matrix}/${other}/assign_adapter`, "6")).toBe("done");
    expect(host.write(`${matrix}/${other}/assign_adapter`, "5")).toBe("EBUSY");
    expect(lines()).toEqual([`<4>adjunct: vfio_ap_mdev ${other}: queue 05.00ab cannot change while guest guest1 migrates`]);
  });

  test("master keys of its queues can be neither loaded nor zeroized, those of others can", () => {
    expect(load(5, 4)).toBe("EBUSY");
    expect(load(5, 0x47)).not.toBe("EBUSY");
    expect(lines()).toEqual(["<4>adjunct: master keys of 05.0004 cannot change while guest guest1 migrates"]);
    expect(command({ do: "key", action: "load-test", adapter: 5 })).toBe("EBUSY");
  });

  test("a message that loads a master key is not authorized", () => {
    nqap(host.host.machine, 0x0504, masterKey("AES", "FIRST", Buffer.alloc(32, 1), { domain: 4 }));
    expect(codesOf(Buffer.from(dqap(host.host.machine, 0x0504).reply))).toBe("8/90");
  });

  test("nothing is held any more when it is released", () => {
    expect(command({ do: "migration-hold", action: "release", hold: 1 })).toBeUndefined();
    expect([host.write("/sys/bus/ap/apmask", "+9"), host.write(`${matrix}/${own}/assign_control_domain`, "7")]).toEqual(["done", "done"]);
    expect(load(5, 4)).not.toBe("EBUSY");
  });

  test("a second hold of the same guest stays when the first is released", () => {
    expect(hold()).toBe(2);
    command({ do: "migration-hold", action: "release", hold: 1 });
    expect(load(5, 4)).toBe("EBUSY");
  });
});

describe("a hold", () => {
  test("is refused while a key of a queue or a control domain of the guest is partly loaded", () => {
    load(5, 4, true);
    expect(hold()).toContain("05.0004 of test is being loaded (AES NEW is partial)");
    command({ do: "key", action: "clear", adapter: 5, domain: 4, kind: "aes" });
    expect(hold()).toBe(1);
  });

  test("is not refused for a key that is loaded as a whole and not set, nor for one that is not the guest's", () => {
    load(5, 4);
    load(5, 0x47, true);
    expect(hold()).toBe(1);
  });
});
