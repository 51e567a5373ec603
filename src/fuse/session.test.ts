import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { attributeTable, constant, readOnly, writeOnly } from "../sysfs/attribute.ts";
import { fail } from "../sysfs/errno.ts";
import { Wait } from "../sysfs/wait.ts";
import { initOut, opcode, openFlag } from "./abi.ts";
import { SessionProbe } from "./session-probe.ts";

const [readOnlyFlags, writeOnlyFlags, readWriteFlags] = [0, 1, 2];
const size = (probe: SessionProbe, nodeId: number): number | undefined =>
  probe
    .ask(opcode.getattr, nodeId, [
      [8, 0],
      [8, 0],
    ])
    ?.body.readUInt32LE(16 + 8);

describe("what the kernel may keep", () => {
  test("a read-only attribute of constant length has its exact size and is kept; all others have a page and are not", () => {
    const probe = new SessionProbe();
    const kept = probe.lookup("device", "constant");
    expect(size(probe, kept)).toBe(4);
    expect(probe.open(kept, readOnlyFlags).flags).toBe(openFlag.keepCache | openFlag.noFlush);
    for (const name of ["varying", "value"]) {
      const node = probe.lookup("device", name);
      expect(size(probe, node)).toBe(4096);
      expect(probe.open(node, readOnlyFlags).flags).toBe(openFlag.directIo | openFlag.noFlush);
    }
    expect(probe.open(probe.lookup("device", "value"), readWriteFlags).flags).toBe(openFlag.directIo | openFlag.noFlush);
  });

  test("an attribute whose text cannot be had is served directly", () => {
    const probe = new SessionProbe(attributeTable(constant("constant", () => fail("ENODEV"))));
    const node = probe.lookup("device", "constant");
    expect(size(probe, node)).toBe(4096);
    expect(probe.open(node, readOnlyFlags).flags).toBe(openFlag.directIo | openFlag.noFlush);
  });

  test("a change invalidates an attribute once, and only after its text was given out", () => {
    const probe = new SessionProbe();
    const node = probe.lookup("device", "constant");
    const value = probe.open(probe.lookup("device", "value"), writeOnlyFlags);
    const kept = probe.open(node, readOnlyFlags);
    probe.takeInvalidations();
    probe.write(value.handle, 0, "two\n");
    expect(probe.takeInvalidations()).toEqual([]);
    expect(probe.read(kept.handle, 0)?.body.toString()).toBe("two\n");
    probe.write(value.handle, 0, "six\n");
    expect(probe.takeInvalidations()).toEqual([`inode ${node}`]);
    probe.write(value.handle, 0, "ten\n");
    expect(probe.takeInvalidations()).toEqual([]);
  });

  test("the reply to a kept read leaves at once, those to direct reads and writes with the end of their input", () => {
    const probe = new SessionProbe();
    const kept = probe.open(probe.lookup("device", "constant"), readOnlyFlags);
    const value = probe.open(probe.lookup("device", "value"), readWriteFlags);
    expect(probe.read(kept.handle, 0)?.order).toBe("at once");
    expect(probe.read(value.handle, 0)?.order).toBe("at end");
    expect(probe.write(value.handle, 0, "x")?.order).toBe("at end");
    expect(probe.depth).toBe(0);
  });

  test("a new name invalidates its directory only if the kernel was told of that, and gives it another modification time", () => {
    const probe = new SessionProbe();
    const names = attributeTable(readOnly("new", () => ""));
    probe.device.attach(names, undefined);
    expect(probe.takeInvalidations()).toEqual([]);
    const device = probe.lookup("device");
    const mtime = (): string | undefined =>
      probe
        .ask(opcode.getattr, device, [
          [8, 0],
          [8, 0],
        ])
        ?.body.toString("hex", 16 + 32, 16 + 60);
    const before = mtime();
    probe.device.hide("new");
    expect(probe.takeInvalidations()).toEqual([`inode ${device}`]);
    expect(mtime()).not.toBe(before);
  });

  test("a removed directory takes its name away, and every text below it that the kernel holds", () => {
    const probe = new SessionProbe();
    const node = probe.lookup("device", "constant");
    const kept = probe.open(node, readOnlyFlags);
    probe.read(kept.handle, 0);
    probe.root.remove("device");
    expect(probe.takeInvalidations()).toEqual(["entry 1 device", `inode ${node}`]);
    expect(probe.read(kept.handle, 0)?.errno).toBe(19);
    expect(probe.open(node, readOnlyFlags).errno).toBe(2);
    expect(probe.ask(opcode.lookup, 1, ["device"])?.errno).toBe(2);
  });

  test("nothing is invalidated for what the kernel has forgotten", () => {
    const probe = new SessionProbe();
    const node = probe.lookup("device", "constant");
    probe.read(probe.open(node, readOnlyFlags).handle, 0);
    probe.ask(opcode.forget, node, [[8, 1]]);
    probe.text = "two\n";
    probe.device.changed("constant");
    expect(probe.takeInvalidations()).toEqual([]);
  });
});

describe("reading and writing as kernfs does", () => {
  test("takes a text when reading begins, keeps it for what follows and takes it again after a seek", () => {
    const probe = new SessionProbe();
    const { handle } = probe.open(probe.lookup("device", "varying"), readOnlyFlags);
    const read = (offset: number, count?: number): string | undefined => probe.read(handle, offset, count)?.body.toString();
    expect(read(0, 2)).toBe("on");
    probe.text = "seventeen\n";
    expect([read(2, 2), read(4)]).toEqual(["e\n", ""]);
    expect([read(0), read(10)]).toEqual(["seventeen\n", ""]);
    probe.text = "four\n";
    expect(read(2)).toBe("ur\n");
  });

  test("cuts a write at a page, ignores its offset and ends its text before a NUL", () => {
    const probe = new SessionProbe();
    const { handle } = probe.open(probe.lookup("device", "value"), writeOnlyFlags);
    expect(probe.write(handle, 100, "x".repeat(5000))?.body.readUInt32LE(0)).toBe(4096);
    expect(probe.text).toBe("x".repeat(4096));
    expect(probe.write(handle, 0, "ab\0cd")?.body.readUInt32LE(0)).toBe(5);
    expect(probe.text).toBe("ab");
  });

  test("refuses an open that no permission bit allows, to root as well", () => {
    const probe = new SessionProbe();
    const [varying, trigger] = [probe.lookup("device", "varying"), probe.lookup("device", "trigger")];
    expect(probe.open(varying, writeOnlyFlags).errno).toBe(13);
    expect(probe.open(varying, readWriteFlags).errno).toBe(13);
    expect(probe.open(trigger, readOnlyFlags).errno).toBe(13);
    expect(probe.open(trigger, writeOnlyFlags).errno).toBe(0);
  });

  test("refuses what sysfs refuses, with its numbers", () => {
    const probe = new SessionProbe();
    const expected = { create: 13, mkdir: 1, unlink: 1, rmdir: 1, rename: 1, link: 1, symlink: 1, mknod: 1, ioctl: 25, fsync: 22 } as const;
    for (const [name, errno] of Object.entries(expected)) {
      expect([
        name,
        probe.ask(opcode[name as keyof typeof expected], 1, [
          [8, 0],
          [8, 0],
        ])?.errno,
      ]).toEqual([name, errno]);
    }
    expect(probe.ask(34, 1, [[8, 0]])?.errno).toBe(38);
  });

  test("reports a bug of the model and answers it with EIO", () => {
    const probe = new SessionProbe(
      attributeTable(
        readOnly("bug", () => {
          throw new TypeError("a bug");
        }),
      ),
    );
    const { handle } = probe.open(probe.lookup("device", "bug"), readOnlyFlags);
    expect(probe.read(handle, 0)?.errno).toBe(5);
    expect(probe.faults).toEqual([new TypeError("a bug")]);
  });
});

describe("a wait", () => {
  const probeThatWaits = (): { probe: SessionProbe; waits: Wait<void>[] } => {
    const waits: Wait<void>[] = [];
    const sleep = (): Wait<void> => {
      const wait: Wait<void> = new Wait(() => wait.complete(() => fail("ERESTARTSYS")));
      waits.push(wait);
      return wait;
    };
    return { probe: new SessionProbe(attributeTable(writeOnly("sleep", sleep))), waits };
  };

  test("keeps its request unanswered until it settles", () => {
    const { probe, waits } = probeThatWaits();
    const { handle } = probe.open(probe.lookup("device", "sleep"), writeOnlyFlags);
    expect(probe.write(handle, 0, "1\n")).toBeUndefined();
    const unique = probe.lastUnique;
    waits[0]?.complete(() => {});
    expect(probe.answers.at(-1)).toMatchObject({ unique, errno: 0, order: "at end" });
    expect(probe.session.waiting.size).toBe(0);
  });

  test("hears of a signal by INTERRUPT; ERESTARTSYS reaches the program as EINTR", () => {
    const { probe } = probeThatWaits();
    const { handle } = probe.open(probe.lookup("device", "sleep"), writeOnlyFlags);
    probe.write(handle, 0, "1\n");
    const unique = probe.lastUnique;
    probe.ask(opcode.interrupt, 0, [[8, unique]]);
    expect(probe.answers.at(-1)).toMatchObject({ unique, errno: 4 });
    const { length } = probe.answers;
    probe.ask(opcode.interrupt, 0, [[8, unique]]);
    expect(probe.answers.length).toBe(length);
  });
});

describe("listings", () => {
  const list = (probe: SessionProbe, bytes: number): string[] => {
    const device = probe.lookup("device");
    const handle = probe.ask(opcode.opendir, device, [[8, 0]])?.body.readUInt32LE(0) ?? 0;
    const names: string[] = [];
    for (let offset = 0; ; ) {
      const body = probe.ask(opcode.readdir, device, [
        [8, handle],
        [8, offset],
        [4, bytes],
        [4, 0],
        [8, 0],
        [8, 0],
      ])?.body;
      if (!body || body.length === 0) return names;
      expect(body.length).toBeLessThanOrEqual(bytes);
      for (let at = 0; at < body.length; ) {
        offset = body.readUInt32LE(at + 8);
        const length = body.readUInt32LE(at + 16);
        names.push(`${body.toString("latin1", at + 24, at + 24 + length)}:${body.readUInt32LE(at + 20)}`);
        at += (24 + length + 7) & ~7;
      }
    }
  };

  test("have every name once with its type, however small the pieces", () => {
    for (const bytes of [40, 100, 4096]) {
      expect(list(new SessionProbe(), bytes)).toEqual([".:4", "..:4", "constant:8", "varying:8", "value:8", "trigger:8"]);
    }
  });
});

describe("the connection", () => {
  test("agrees on 7.38 with the features that both have, and asks for no request timeout", () => {
    const probe = new SessionProbe();
    const body = probe.ask(opcode.init, 0, [
      [4, 7],
      [4, 45],
      [4, 131072],
      [4, 0xffffffff],
      [4, 0xffffffff],
    ])?.body;
    expect(body?.length).toBe(initOut.bytes);
    expect([body?.readUInt32LE(0), body?.readUInt32LE(4), body?.readUInt32LE(initOut.at.maxWrite)]).toEqual([7, 38, 65536]);
    expect(body?.subarray(initOut.at.flags2).every((byte) => byte === 0)).toBe(true);
    expect((body?.readUInt32LE(initOut.at.flags) ?? 0) & (1 << 30)).toBe(0);
  });

  test("offers its own version to a kernel with a newer major, and nothing to an older one", () => {
    const probe = new SessionProbe();
    expect(
      probe
        .ask(opcode.init, 0, [
          [4, 8],
          [4, 0],
          [4, 0],
          [4, 0],
        ])
        ?.body.readUInt32LE(0),
    ).toBe(7);
    expect(
      probe.ask(opcode.init, 0, [
        [4, 6],
        [4, 0],
        [4, 0],
        [4, 0],
      ])?.errno,
    ).toBe(71);
  });

  test("passes wake-ups on and keeps the wake file out of listings", () => {
    const probe = new SessionProbe();
    expect(probe.ask(opcode.lookup, 1, [".adjunct-wake"])?.body.readUInt32LE(0)).toBe(2);
    probe.ask(opcode.notifyReply, 2, []);
    expect(probe.wakeUps).toEqual([probe.lastUnique]);
    expect([...probe.root.names()]).toEqual(["device", "link"]);
  });

  test("survives any bytes: nothing is thrown, no request is answered twice, every input ends", () => {
    const word = fc.oneof(fc.nat(8), fc.constantFrom(40, 4096, 65536, 0x7fffffff, 0xffffffff), fc.nat(0xffffffff));
    const request = fc.record({
      code: fc.nat(60),
      node: fc.nat(9),
      words: fc.array(word, { maxLength: 30 }),
      cut: fc.nat(200),
      isCut: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(request, { maxLength: 40 }), (requests) => {
        const probe = new SessionProbe();
        for (const name of ["constant", "varying", "value", "trigger"])
          probe.open(probe.lookup("device", name), name === "trigger" ? 1 : 0);
        for (const [index, { code, node, words, cut, isCut }] of requests.entries()) {
          const bytes = Buffer.alloc(40 + 4 * words.length);
          for (const [at, value] of words.entries()) bytes.writeUInt32LE(value, 40 + 4 * at);
          bytes.writeUInt32LE(code, 4);
          bytes.writeUInt32LE(1000 + index, 8);
          bytes.writeUInt32LE(node, 16);
          const part = isCut ? bytes.subarray(0, cut) : bytes;
          if (part.length >= 4) part.writeUInt32LE(part.length, 0);
          probe.deliver(part);
          expect(probe.answers.filter(({ unique }) => unique === 1000 + index).length).toBeLessThanOrEqual(1);
          expect(probe.depth).toBe(0);
        }
        expect(probe.faults).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });
});
