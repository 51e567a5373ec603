import fc from "fast-check";
import { ep11, ep11Decrypt, ep11Encrypt, ep11GenerateKey, ep11Info, ep11UnwrapKey, ep11WrapKey, mechanism, u32 } from "./ep11-messages.ts";

/** Calls of EP11 functions with keys of the coprocessor behind `send`, which gives the reply to a message. */
export class Ep11Calls {
  /** Messages, each with what its reply ends with. */
  readonly good: readonly (readonly [Buffer, Buffer])[];
  /** Calls with right and wrong values in their places: altered bytes seldom give those. */
  readonly any: fc.Arbitrary<Buffer>;

  constructor(send: (message: Buffer) => Buffer) {
    const firstValue = (message: Buffer): Buffer => {
      const reply = send(message);
      return reply.subarray(106, 106 + reply.readUInt16BE(104));
    };
    const cbcPad = mechanism(0x1085, Buffer.alloc(16, 0x2a));
    const text = Buffer.from("sixteen and more");
    // One key may wrap others, the other may leave in every way; both compute.
    const wrappingBlob = firstValue(ep11GenerateKey(32, 0x6c00));
    const blob = firstValue(ep11GenerateKey(32, 0x00200c01));
    const encrypted = firstValue(ep11Encrypt(cbcPad, blob, text));
    const wrapped = firstValue(ep11Encrypt(cbcPad, wrappingBlob, Buffer.alloc(16)));

    this.good = [
      [ep11Info(1), Buffer.alloc(8)],
      [ep11Info(3), Buffer.of(0, 0, 0, 3)],
      [ep11GenerateKey(32, useKey, { api: 4 }), nothing],
      [ep11Encrypt(cbcPad, blob, text), encrypted],
      [ep11Decrypt(cbcPad, blob, encrypted), text],
      [ep11WrapKey(mechanism(0x80060001), blob, undefined, { api: 4, flags: 0x20 }), nothing],
      [ep11WrapKey(cbcPad, blob, wrappingBlob), nothing],
      [ep11UnwrapKey({ how: cbcPad, wrappingBlob, wrapped, keyBytes: 16 }), Buffer.of(0x66, 0xe9, 0x4b, 0, 0, 0, 128)],
      [ep11(99, []), Buffer.of(0, 0, 0, 0x54)],
    ];
    this.any = anyOf([
      [19, [u32(0), cbcPad, blob, text]],
      [20, [u32(0), cbcPad, blob, encrypted]],
      [21, [u32(0), u32(32), u32(0x1080), u32(0x10010000, useKey, useKey, 0x161, 32), nothing]],
      [33, [u32(0), mechanism(0x80060001), blob, nothing, nothing]],
      [33, [u32(0), cbcPad, blob, wrappingBlob, nothing]],
      [34, [u32(0x10010000, useKey, useKey, 0x100, 0x1f), cbcPad, wrappingBlob, nothing, nothing, wrapped]],
      [38, [u32(1), u32(0)]],
    ]);
  }
}

const nothing = Buffer.alloc(0);
const useKey = 0x00200c00;

function anyOf(calls: readonly (readonly [number, readonly Buffer[]])[]): fc.Arbitrary<Buffer> {
  const wrongSomewhere = [mechanism(0x1082), Buffer.alloc(15), u32(0x10000000, 0x4000, 0x4000)];
  const value = fc.constantFrom(...calls.flatMap(([, values]) => values), ...wrongSomewhere);
  const options = fc.record({
    api: fc.constantFrom(4, 4, 1, 7),
    flags: fc.constantFrom(0x20, 0),
    replyBytes: fc.constantFrom(12 * 1024 - 48, 12 * 1024 - 48, 60, 50),
  });
  return fc
    .tuple(fc.constantFrom(...calls), fc.array(fc.tuple(fc.nat(5), value), { maxLength: 2 }), options)
    .map(([[functionId, values], changes, callOptions]) => {
      const changed = [...values];
      for (const [index, other] of changes) changed[index % changed.length] = other;
      return ep11(functionId, changed, callOptions);
    });
}
