import { describe, expect, test } from "vitest";
import { generateTestKey } from "../../../test/support/adapter-messages.ts";
import { ep11Reply, errorReply, icaReply, type80Reply, type86Reply } from "../../../test/support/adapter-replies.ts";
import { exampleHost, TestHost, type TestHostOptions, uuids } from "../../../test/support/test-host.ts";
import { Mask } from "../../ap/mask.ts";
import type { AdapterProcessor, AdapterRequest } from "../../machine/adapter/processor.ts";
import { adapterProfile } from "../../machine/adapter-profile.ts";
import { fail } from "../../sysfs/errno.ts";
import { Wait } from "../../sysfs/wait.ts";
import { RequestTrack } from "./request-track.ts";

const keys = new Map([1024, 2048].map((bits) => [bits, generateTestKey(bits)]));
const key = keys.get(1024) ?? fail("ENOENT");

/** A request that an accelerator and a CCA coprocessor can do. */
const power = { input: Buffer.alloc(128, 1), exponent: Buffer.of(3), modulus: Buffer.alloc(128, 0xff) };

interface Held {
  readonly queue: string;
  readonly request: AdapterRequest;
  readonly answer: (reply: Uint8Array) => void;
}

/** A host whose adapters answer when they are told to, and what reached them. */
function holdingHost(options: TestHostOptions) {
  const held: Held[] = [];
  const processor: AdapterProcessor = (request, reply) => {
    const queue = `${request.adapter}.${request.domain}`;
    held.push({ queue, request: { ...request, message: request.message.slice() }, answer: reply });
  };
  const host = new TestHost({ usage: [4], processor, ...options });
  const { zcrypt } = host.host.linux;
  const start = (request = power): Wait<Uint8Array> => {
    const wait = host.host.queue.run(zcrypt.rsa(request));
    if (!(wait instanceof Wait)) throw new Error("nobody was asked");
    host.host.settle();
    return wait;
  };
  /** Where requests got that were not yet looked at. */
  const reached = (): string[] => held.splice(0).map(({ queue }) => queue);
  /** The oldest message's card answers. */
  const answer = (reply: Uint8Array): void => {
    held.shift()?.answer(reply);
    host.host.settle();
  };
  const file = (path: string): string => host.read(`/sys/bus/ap/devices/${path}`).trim();
  return { host, zcrypt, held, start, reached, answer, file };
}

const good = type80Reply(128, Buffer.alloc(128, 9));
const endOf = ({ outcome }: { readonly outcome: object | undefined }): string => {
  if (!outcome) return "waits";
  return "error" in outcome ? String((outcome.error as { code?: unknown }).code) : "done";
};

describe("RSA over the cards of a host", () => {
  test.each([
    ["CEX7A", 1024, "7.2"],
    ["CEX7C", 1024, "6.12"],
    ["CEX5A", 2048, "7.2"],
    ["CEX5C", 2048, "4.20"],
    ["CEX2A", 1024, "6.1"],
    ["CEX3C", 2048, "6.1"],
  ] as const)("is what OpenSSL says: %s with %i bits", (type, bits, kernel) => {
    const { encrypt, decrypt, ...numbers } = keys.get(bits) ?? fail("ENOENT");
    const host = new TestHost({ adapters: { 5: type }, usage: [4], kernel });
    const { zcrypt } = host.host.linux;
    const value = Buffer.alloc(bits / 8, 0x2a);
    const { e: exponent, n: modulus, ...crt } = numbers;
    expect(host.runJob(zcrypt.rsa({ input: value, exponent, modulus }))).toEqual(new Uint8Array(encrypt(value)));
    expect(host.runJob(zcrypt.rsa({ input: encrypt(value), ...crt }))).toEqual(new Uint8Array(value));
    expect(host.runJob(zcrypt.rsa({ input: value, exponent: crt.d, modulus }))).toEqual(new Uint8Array(decrypt(value)));
    expect(host.read("/sys/bus/ap/devices/card05/request_count")).toBe("3\n");
  });

  test("with an even modulus is EINVAL, and no queue goes offline for it", () => {
    for (const type of ["CEX7A", "CEX7C"]) {
      const host = new TestHost({ adapters: { 5: type }, usage: [4] });
      const modulus = Buffer.alloc(128, 0xfe);
      expect(host.runJob(host.host.linux.zcrypt.rsa({ ...power, modulus }))).toBe("EINVAL");
      expect(host.read("/sys/bus/ap/devices/05.0004/online")).toBe("1\n");
    }
  });

  test.each([
    [0, "EINVAL"],
    [513, "ENODEV"],
  ])("of %i bytes is %s", (bytes, errno) => {
    const host = new TestHost({ adapters: { 5: "CEX7A", 6: "CEX7C" }, usage: [4] });
    expect(host.runJob(host.host.linux.zcrypt.rsa({ ...power, input: Buffer.alloc(bytes) }))).toBe(errno);
  });

  test("goes to cards of its size: 15 bytes to an accelerator, 4096 bits to one that says so", () => {
    const small = { ...adapterProfile(13, "accelerator"), functions: 0x0a000000 };
    const { start, reached } = holdingHost({ adapters: { 5: "CEX7C", 6: small } });
    start({ ...power, input: Buffer.alloc(15, 1) });
    expect(reached()).toEqual(["6.4"]);
    start({ ...power, input: Buffer.alloc(257, 1) });
    expect(reached()).toEqual(["5.4"]);
  });

  test("is nothing for an EP11 coprocessor: ENODEV after one more scan", () => {
    const host = new TestHost({ adapters: { 5: "CEX7P" }, usage: [4] });
    const scans = Number(host.read("/sys/bus/ap/scans"));
    expect(host.runJob(host.host.linux.zcrypt.rsa(power))).toBe("ENODEV");
    expect(Number(host.read("/sys/bus/ap/scans"))).toBe(scans + 1);
  });
});

test("a file that asks a card without a queue to ask is an empty line, after one more scan", () => {
  const host = new TestHost({ adapters: { 5: "CEX7C" }, usage: [4] });
  host.write("/sys/bus/ap/devices/05.0004/online", "0");
  const scans = Number(host.read("/sys/bus/ap/scans"));
  expect(host.read("/sys/bus/ap/devices/card05/serialnr")).toBe("\n");
  expect(Number(host.read("/sys/bus/ap/scans"))).toBe(scans + 1);
});

describe("the choice of a queue", () => {
  test("takes the least of load and rating; the load is the rating of the last card that could have done it", () => {
    const { start, reached, file } = holdingHost({ adapters: { 5: "CEX5A", 7: "CEX7C" } });
    const order = [1, 2, 3, 4, 5].map(() => {
      start();
      return reached();
    });
    // 8 against 14, then 22 against 14, 22 against 28, 36 against 28, 36 against 42.
    expect(order).toEqual([["5.4"], ["7.4"], ["5.4"], ["7.4"], ["5.4"]]);
    expect([file("card05/load"), file("05.0004/load"), file("card07/load")]).toEqual(["42", "42", "28"]);
  });

  test("takes, between equals, what had fewer requests; loads are gone with the requests", () => {
    const { start, held, answer, file } = holdingHost({ adapters: { 5: "CEX5A", 6: "CEX5A" }, usage: [4, 5] });
    const order: string[] = [];
    for (let index = 0; index < 5; index++) {
      start();
      order.push(held[0]!.queue);
      answer(good);
    }
    // A card that is better than the best so far must still have a better queue.
    expect(order).toEqual(["5.4", "5.5", "6.4", "6.5", "5.4"]);
    expect([file("card05/request_count"), file("05.0004/request_count"), file("card05/load"), file("05.0004/load")]).toEqual([
      ...["3", "2"],
      ...["0", "0"],
    ]);
  });

  test("counts a request as pending while its card works", () => {
    const { start, answer, file } = holdingHost({ adapters: { 5: "CEX5A" } });
    const first = start();
    start();
    expect([file("05.0004/pendingq_count"), file("card05/pendingq_count"), endOf(first)]).toEqual(["2", "2", "waits"]);
    answer(good);
    expect([file("05.0004/pendingq_count"), file("05.0004/request_count"), endOf(first)]).toEqual(["1", "2", "done"]);
  });

  test.each<[string, (host: TestHost) => void]>([
    ["the card offline", (host) => host.write("/sys/bus/ap/devices/card05/online", "0")],
    ["the queue offline", (host) => host.write("/sys/bus/ap/devices/05.0004/online", "0")],
    ["the card deconfigured", (host) => host.write("/sys/bus/ap/devices/card05/config", "0")],
    ["the card checkstopped", (host) => host.hardware((machine) => machine.setCheckstop(5, true))],
    ["the queue unbound", (host) => host.write("/sys/bus/ap/drivers/cex4queue/unbind", "05.0004")],
    ["the card unbound", (host) => host.write("/sys/bus/ap/drivers/cex4card/unbind", "card05")],
    ["the queue with another driver", (host) => host.write("/sys/bus/ap/apmask", "-5\n")],
  ])("leaves out %s, and there may be none left", (_title, change) => {
    const { host, zcrypt, start, reached } = holdingHost({ adapters: { 5: "CEX5A", 7: "CEX7C" } });
    change(host);
    start();
    expect(reached()).toEqual(["7.4"]);
    host.write("/sys/bus/ap/devices/card07/online", "0");
    expect(host.runJob(zcrypt.rsa(power))).toBe("ENODEV");
  });

  test("has the limits of a device node", () => {
    const { host, zcrypt, reached } = holdingHost({ adapters: { 5: "CEX5A", 7: "CEX7C" }, usage: [4, 5] });
    host.host.queue.run(zcrypt.rsa(power, { permissions: { adapters: Mask.of(7), domains: Mask.of(5) } }));
    expect(reached()).toEqual(["7.5"]);
    expect(host.runJob(zcrypt.rsa(power, { permissions: { adapters: Mask.of(9), domains: Mask.all } }))).toBe("ENODEV");
  });
});

describe("a request that fails", () => {
  test("goes to another card, then to another queue, ten times in all, and is EIO", () => {
    const { host, start, held, answer } = holdingHost({ adapters: { 5: "CEX5A", 7: "CEX7A" }, usage: [4, 5] });
    const order: string[] = [];
    const wait = start();
    while (held.length > 0) {
      order.push(held[0]!.queue);
      answer(errorReply(0x88, 0x10));
    }
    expect(order).toHaveLength(10);
    for (const [index, queue] of order.entries()) if (index > 0) expect(queue.split(".")[0]).not.toBe(order[index - 1]?.split(".")[0]);
    expect(new Set(order)).toEqual(new Set(["5.4", "5.5", "7.4", "7.5"]));
    expect(endOf(wait)).toBe("EIO");
    expect(host.read("/sys/bus/ap/devices/card05/load")).toBe("0\n");
  });

  test("changes queues of one card, too; a queue 0 of card 0 counts as none", () => {
    for (const [adapters, usage, expected] of [
      [{ 5: "CEX5A" }, [4, 5], ["5.4", "5.5", "5.4"]],
      [{ 0: "CEX5A" }, [0, 5], ["0.0", "0.0", "0.5"]],
    ] as const) {
      const { host, start, held, answer } = holdingHost({ adapters, usage });
      start();
      host.write(`/sys/bus/ap/devices/card0${expected[0][0]}/request_count`, "0");
      const order = [];
      for (let index = 0; index < 3; index++) {
        order.push(held[0]!.queue);
        answer(errorReply(0x88, 0x10));
      }
      expect(order).toEqual(expected);
    }
  });

  test("with an error in its data is not sent again", () => {
    const { start, reached, answer } = holdingHost({ adapters: { 5: "CEX5A", 7: "CEX7A" } });
    const wait = start();
    answer(errorReply(0x88, 0x84));
    expect([endOf(wait), reached()]).toEqual(["EINVAL", []]);
  });

  test("for a reply that no card should give sets the queue offline with a log line and a uevent, and goes elsewhere", () => {
    const { host, start, held, answer, file } = holdingHost({ adapters: { 5: "CEX5A", 7: "CEX7C" } });
    host.forget();
    const wait = start();
    answer(Uint8Array.of(0, 0x42, 0, 0, 0, 0, 0, 0));
    expect(host.log()).toEqual(["<3>zcrypt: Crypto dev=05.0004 unknown response type 0x42 => online=0 rc=EAGAIN"]);
    expect(host.ueventTexts()).toEqual(["change /devices/ap/card05/05.0004 ONLINE=0 DEVTYPE=ap_queue DRIVER=cex4queue MODE=accel"]);
    expect([file("05.0004/online"), file("card05/online"), held[0]?.queue]).toEqual(["0", "1", "7.4"]);
    answer(icaReply(Buffer.alloc(128, 5)));
    expect(wait.outcome).toEqual({ value: new Uint8Array(128).fill(5) });
  });

  test.each<[string, (host: TestHost) => void]>([
    ["is checkstopped", (host) => host.hardware((machine) => machine.setCheckstop(5, true))],
    ["is deconfigured", (host) => host.hardware((machine) => machine.setConfigured(5, false))],
    ["is removed", (host) => host.hardware((machine) => machine.removeAdapter(5))],
    ["is set offline", (host) => host.write("/sys/bus/ap/devices/card05/online", "0")],
    ["is unbound", (host) => host.write("/sys/bus/ap/drivers/cex4queue/unbind", "05.0004")],
  ])("since its card %s while it works goes to the next", (_title, change) => {
    const { host, start, held, answer } = holdingHost({ adapters: { 5: "CEX5A", 7: "CEX7A" } });
    host.write("/sys/bus/ap/devices/card07/online", "0");
    const wait = start();
    host.write("/sys/bus/ap/devices/card07/online", "1");
    expect(held.splice(0)[0]?.queue).toBe("5.4");
    change(host);
    host.host.settle();
    expect(held[0]?.queue).toBe("7.4");
    answer(good);
    expect(endOf(wait)).toBe("done");
  });

  test("since its card failed and nobody noticed goes to the next, at NQAP", () => {
    const { host, start, reached } = holdingHost({ adapters: { 5: "CEX7A", 7: "CEX7C" }, machine: { announcesChanges: false } });
    host.host.machine.setCheckstop(5, true);
    start();
    expect(reached()).toEqual(["7.4"]);
    expect(host.read("/sys/bus/ap/devices/05.0004/chkstop")).toBe("0\n");
  });

  test("finds a card by the scan that it asks for", () => {
    const { host, zcrypt, held } = holdingHost({ adapters: { 5: "CEX7P" }, machine: { announcesChanges: false } });
    host.host.machine.addAdapter(7, adapterProfile(13, "cca"));
    expect(held).toEqual([]);
    host.host.queue.run(zcrypt.rsa(power));
    host.host.settle();
    // The queue that was found is still being reset.
    expect(host.exists("/sys/bus/ap/devices/07.0004")).toBe(true);
    expect(held[0]?.queue).toBe("7.4");
  });

  test("ends at a signal; its reply is dropped and its load taken back", () => {
    const { host, zcrypt, start, held, answer, file } = holdingHost({ adapters: { 5: "CEX5A" } });
    const track = new RequestTrack();
    const wait = host.host.queue.run(zcrypt.rsa(power, { track }), () => track.interrupt()) as Wait<Uint8Array>;
    wait.interrupt();
    host.host.settle();
    expect([endOf(wait), file("05.0004/pendingq_count"), file("05.0004/load")]).toEqual(["ERESTARTSYS", "0", "0"]);
    const next = start();
    expect(held).toHaveLength(2);
    answer(type80Reply(128, Buffer.alloc(128, 1)));
    expect(endOf(next)).toBe("waits");
    answer(type80Reply(128, Buffer.alloc(128, 2)));
    expect(next.outcome).toEqual({ value: new Uint8Array(128).fill(2) });
  });
});

describe("random numbers", () => {
  test("come from CCA coprocessors alone, a page at a time", () => {
    const host = new TestHost({ adapters: { 5: "CEX7C", 6: "CEX7A" }, usage: [4] });
    const bytes = host.runJob(host.host.linux.zcrypt.random());
    if (typeof bytes === "string") throw new Error(bytes);
    expect(bytes).toHaveLength(4096);
    expect(new Set(bytes).size).toBeGreaterThan(200);
    host.write("/sys/bus/ap/devices/card05/online", "0");
    expect(host.runJob(host.host.linux.zcrypt.random())).toBe("ENODEV");
  });
});

describe("a control block of the program's own", () => {
  const control = (verb: string, { domain = 0xffff, id = "T2", parameters = 2 } = {}): Buffer => {
    const block = Buffer.alloc(220 + parameters);
    block.writeUInt16BE(220, 0);
    block[2] = 2;
    block.write(id, 6, "latin1");
    block.writeUInt32BE(parameters, 12);
    block.writeUInt16BE(domain, 170);
    block.write(verb, 220, "latin1");
    return block;
  };
  const request = (block: Buffer, more: object = {}) => ({ agent: "CA", control: block, replyControlBytes: 500, ...more });

  test("goes with the domain of the queue it goes to, padded, with data behind it; both parts of the reply come back", () => {
    const { host, zcrypt, held, answer } = holdingHost({ adapters: { 5: "CEX7C" }, usage: [4, 9] });
    const asked = request(control("XY", { domain: 9, parameters: 3 }), { data: Buffer.from("data"), replyDataBytes: 20_000 });
    const wait = host.host.queue.run(zcrypt.sendCprb(asked)) as Wait<unknown>;
    const message = Buffer.from(held[0]!.request.message);
    expect([held[0]?.queue, message.length, message.subarray(-5).toString("latin1")]).toEqual(["5.9", 88 + 224 + 4, "\0data"]);
    const field = (offset: number): number => message.readUInt32BE(offset);
    expect([field(16), field(20), field(56), field(60)]).toEqual([88, 312, 223, 4]);
    // 12 KiB less the header: the data is asked for in full, the control block gets the rest.
    expect([field(72), field(76)]).toEqual([0, 12 * 1024 - 48]);
    expect([message.toString("latin1", 32, 34), message.toString("latin1", 52, 54), message.readUInt16BE(258)]).toEqual(["CA", "XY", 9]);
    answer(type86Reply(Buffer.from("XY"), Buffer.from("answer")));
    expect(wait.outcome).toMatchObject({ value: { data: new Uint8Array(Buffer.from("answer")) } });
  });

  test("is special for the verbs that need protected keys", () => {
    const { host, zcrypt, held } = holdingHost({ adapters: { 5: "CEX7C" } });
    for (const verb of ["US", "AU", "KG"]) host.host.queue.run(zcrypt.sendCprb(request(control(verb))));
    expect(held.map(({ request: { isSpecial } }) => isSpecial)).toEqual([true, true, false]);
  });

  test.each([
    [{ card: 7 }, 0xffff, "7.4"],
    [{ card: 8 }, 0xffff, "ENODEV"],
    [{}, 9, "5.9"],
    [{}, 11, "ENODEV"],
    [{ card: 7 }, 12, "7.4"],
  ])("goes to %j, domain %i: %s", (target, domain, queue) => {
    const cards = { 5: "CEX7C", 6: "CEX7A", 7: "CEX7C" };
    const { host, zcrypt, held, reached } = holdingHost({ adapters: cards, usage: [4, 9], control: [12] });
    const result = host.runJob(zcrypt.sendCprb(request(control("FQ", { domain }), target)));
    expect(held.length > 0 ? reached()[0] : result).toBe(queue);
  });

  test("of an administrator is not sent twice: EIO", () => {
    for (const [id, errno] of [
      ["T3", "EIO"],
      ["T2", "waits"],
    ] as const) {
      const { host, zcrypt, answer } = holdingHost({ adapters: { 5: "CEX7C" } });
      const wait = host.host.queue.run(zcrypt.sendCprb(request(control("KL", { id })))) as Wait<unknown>;
      answer(errorReply(0x82, 0x90));
      expect(endOf(wait)).toBe(errno);
    }
  });

  test.each([
    ["a control block of 219 bytes", request(Buffer.alloc(219))],
    ["room for a reply of 219 bytes", { ...request(control("FQ")), replyControlBytes: 219 }],
    ["a length beyond the block", request(Object.assign(control("FQ"), { 1: 0xdd + 3 }))],
    ["more than any card takes", request(control("FQ"), { data: Buffer.alloc(12 * 1024) })],
  ])("with %s is EINVAL", (_title, asked) => {
    const host = new TestHost({ adapters: { 5: "CEX7C" }, usage: [4] });
    expect(host.runJob(host.host.linux.zcrypt.sendCprb(asked))).toBe("EINVAL");
  });

  test("that is too long for one card goes to one that takes more", () => {
    const { host, zcrypt, reached } = holdingHost({ adapters: { 5: "CEX7C", 6: "CEX8C" } });
    host.host.queue.run(zcrypt.sendCprb(request(control("FQ"), { data: Buffer.alloc(12 * 1024) })));
    expect(reached()).toEqual(["6.4"]);
  });
});

describe("a request to EP11", () => {
  const payload = Buffer.of(0x30, 0x82, 0, 12, 4, 4, 0, 1, 0, 38, 4, 4, 0, 0, 0, 0);
  const block = (flags = 0): Buffer => {
    const bytes = Buffer.alloc(32 + payload.length);
    bytes.writeUInt16BE(32, 0);
    bytes[2] = 4;
    bytes[5] = flags;
    bytes.write("T4", 6, "latin1");
    bytes.writeUInt32BE(payload.length, 28);
    bytes.set(payload, 32);
    return bytes;
  };
  const anywhere = { targets: [], request: block(), replyBytes: 100 };

  test("is told the domain of its queue in control block and payload, unless it is administrative", () => {
    for (const [flags, domain, isSpecial] of [
      [0, 4, false],
      [0x20, 4, true],
      [0x80, 0, false],
    ] as const) {
      const { host, zcrypt, held, answer } = holdingHost({ adapters: { 5: "CEX8P" } });
      const wait = host.host.queue.run(zcrypt.sendEp11({ ...anywhere, request: block(flags) })) as Wait<Uint8Array>;
      const message = Buffer.from(held[0]!.request.message);
      expect([message.readUInt32BE(88 + 12), message.readUInt32BE(88 + 44), held[0]?.request.isSpecial]).toEqual([
        domain,
        domain,
        isSpecial,
      ]);
      expect([message.toString("latin1", 32, 34), message.readUInt16BE(48), message.readUInt16BE(52)]).toEqual(["XC", 1, 0]);
      expect([message.readUInt32BE(56), message.readUInt32BE(72)]).toEqual([48, 48 * 1024 - 48]);
      answer(ep11Reply(Buffer.alloc(20, 3)));
      expect(wait.outcome).toMatchObject({ value: { length: 52 } });
    }
  });

  test.each([
    [[], "5.4"],
    [[{ card: 6, domain: 9 }], "6.9"],
    [[{ card: 6, domain: 0xffff }], "6.4"],
    [[{ card: 7, domain: 4 }], "ENODEV"],
    [[{ card: 5, domain: 8 }], "ENODEV"],
  ])("with the targets %j goes to %s", (targets, queue) => {
    const { host, zcrypt, held, reached } = holdingHost({ adapters: { 5: "CEX8P", 6: "CEX8P", 7: "CEX8C" }, usage: [4, 9] });
    const result = host.runJob(zcrypt.sendEp11({ ...anywhere, targets }));
    expect(held.length > 0 ? reached()[0] : result).toBe(queue);
  });

  test.each([
    ["too short", { ...anywhere, request: block().subarray(0, 36) }],
    ["with another length of payload", { ...anywhere, request: Buffer.concat([block(), Buffer.alloc(1)]) }],
    ["without room for the reply", { ...anywhere, replyBytes: 31 }],
    ["too long for every card", { ...anywhere, request: Buffer.alloc(64 * 1024) }],
  ])("%s is EINVAL", (_title, request) => {
    const host = new TestHost({ adapters: { 5: "CEX8P" }, usage: [4] });
    expect(host.runJob(host.host.linux.zcrypt.sendEp11(request))).toBe("EINVAL");
  });
});

test("a guest's Linux sends requests to the queues that its device gives it, and no others", () => {
  const host = exampleHost("7.2");
  const [uuid] = uuids;
  expect(host.createMdev(uuid, { adapters: [6], domains: [4] })).toBe("done");
  const guest = host.host.createGuest("guest1", { ap: true, qci: true, apft: true, apqi: true, msa3: true });
  expect(host.run(() => host.host.openMdev(guest, uuid))).toBe("done");
  guest.model?.run();
  host.host.settle();
  const { linux } = guest.model ?? fail("ENOENT");
  const { zcrypt, work } = linux ?? fail("ENOENT");
  const { e: exponent, n: modulus, encrypt } = key;
  const input = Buffer.alloc(128, 0x2a);
  const wait = work.run(zcrypt.rsa({ input, exponent, modulus })) as Wait<Uint8Array>;
  expect(host.ended(wait, "the guest's request")).toEqual(new Uint8Array(encrypt(input)));
  expect(host.host.read("/sys/bus/ap/devices/06.0004/request_count", linux)).toBe("1\n");
  expect(host.read("/sys/bus/ap/devices/06.0004/request_count")).toBe("-\n");
  expect(() => work.run(zcrypt.random())).toThrow("ENODEV");
});
