import * as fc from "fast-check";
import { apqn } from "../../../src/ap/apqn.ts";
import { Mask } from "../../../src/ap/mask.ts";
import { encodeConfiguration } from "../../../src/linux/vfio-ap/migration/configuration-data.ts";

/** Streams as a hostile source may send them: near to what a real one sends, so that they come past the first check. */
export interface Stream {
  readonly pieces: readonly Uint8Array[];
}

/** Adapters and domains of a destination, of somebody else there, and of its host. */
export const adapters = [5, 6, 7, 8] as const;
export const domains = [4, 0x47, 0xab, 0xff, 0x10] as const;

/** The words that TAPQ of an adapter gives at a source. */
export type WordsOf = (adapter: number) => { readonly high: number; readonly low: number };

const usually = <T>(usual: fc.Arbitrary<T>, other: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ weight: 12, arbitrary: usual }, { weight: 1, arbitrary: other });

function configuration(wordsOf: WordsOf): fc.Arbitrary<Uint8Array> {
  return fc
    .record({
      adapters: fc.subarray([...adapters]),
      domains: fc.subarray([...domains]),
      controlDomains: fc.subarray([...domains], { maxLength: 2 }),
      change: usually(
        fc.constant(0),
        fc.integer({ min: 0, max: 31 }).map((bit) => (1 << bit) >>> 0),
      ),
    })
    .map(({ adapters, domains, controlDomains, change }) => {
      const sorted = [...domains].sort((left, right) => left - right);
      const queues = adapters.flatMap((adapter) =>
        sorted.map((domain) => {
          const { high, low } = wordsOf(adapter);
          return { queue: apqn(adapter, domain), high: (high ^ change) >>> 0, low };
        }),
      );
      return encodeConfiguration({ controlDomains: Mask.from(controlDomains), queues });
    });
}

const damage: fc.Arbitrary<(bytes: Uint8Array) => Uint8Array> = fc.oneof(
  fc.constant((bytes: Uint8Array) => bytes),
  fc.constant((bytes: Uint8Array) => bytes),
  fc.record({ at: fc.double({ min: 0, max: 0.999, noNaN: true }), bit: fc.nat(7) }).map(({ at, bit }) => (bytes: Uint8Array) => {
    const copy = Uint8Array.from(bytes);
    const index = Math.floor(at * copy.length);
    if (index < copy.length) copy[index] = copy[index]! ^ (1 << bit);
    return copy;
  }),
  fc.double({ min: 0, max: 1, noNaN: true }).map((part) => (bytes: Uint8Array) => bytes.slice(0, Math.floor(part * bytes.length))),
  fc.uint8Array({ minLength: 1, maxLength: 64 }).map((more) => (bytes: Uint8Array) => Buffer.concat([bytes, more])),
  fc.oneof(fc.nat(70_000), fc.nat(12), fc.nat(0xffffffff)).map((count) => (bytes: Uint8Array) => {
    const copy = Uint8Array.from(bytes);
    if (copy.length >= 12) new DataView(copy.buffer).setUint32(8, count);
    return copy;
  }),
  fc.tuple(fc.nat(40), fc.nat(40)).map(([from, to]) => (bytes: Uint8Array) => {
    const copy = Uint8Array.from(bytes);
    const [source, target] = [48 + 16 * from, 48 + 16 * to];
    if (Math.max(source, target) + 16 <= copy.length) copy.copyWithin(target, source, source + 16);
    return copy;
  }),
  // A queue more, one that is there.
  fc.constant((bytes: Uint8Array) => {
    if (bytes.length < 64) return bytes;
    const longer = Uint8Array.from([...bytes, ...bytes.subarray(-16)]);
    new DataView(longer.buffer).setUint32(8, (longer.length - 48) / 16);
    return longer;
  }),
  fc.uint8Array({ maxLength: 200 }).map((noise) => () => noise),
);

const sizes = fc.oneof(
  fc.constant([100_000]),
  fc.array(fc.oneof(fc.constant(1), fc.constant(7), fc.nat(200)), { minLength: 1, maxLength: 6 }),
);

export const stream = (wordsOf: WordsOf): fc.Arbitrary<Stream> =>
  fc
    .tuple(
      configuration(wordsOf),
      damage,
      usually(
        fc.constant((bytes: Uint8Array) => bytes),
        damage,
      ),
      sizes,
    )
    .map(([bytes, first, second, sizes]) => ({
      pieces: cut(second(first(bytes)), sizes),
    }));

/** In pieces of these sizes in turn. */
function cut(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let start = 0, index = 0; start < bytes.length; index++) {
    // A size of 0 is a write without bytes; it must not go on for ever.
    const size = sizes[index % sizes.length]! || (index < sizes.length ? 0 : 1);
    pieces.push(bytes.slice(start, start + size));
    start += size;
  }
  return pieces;
}
