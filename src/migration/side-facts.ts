import * as v from "valibot";
import { Mask } from "../ap/mask.ts";
import { generationNames } from "../linux/generation.ts";

/**
 * What one host has to say about a migration: everything that decides whether a guest with a certain matrix can leave it or come to it. It is
 * taken from a running host or from a recorded one, and it travels as plain JSON.
 */
const id = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(Mask.bits - 1));
const ids = v.array(id);
const text = v.pipe(v.string(), v.maxLength(4096));
const word = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(0xffffffff));

const matrix = v.object({ adapters: ids, domains: ids, controlDomains: ids });

/** One register of one master key. */
const keyRegister = v.object({
  /** AES, APKA, ASYM, WK: as `mkvps` calls it. */
  key: text,
  register: v.picklist(["NEW", "CUR", "OLD"]),
  /** The words of `mkvps`: empty, partial, full; valid, invalid; uncommitted, committed. */
  state: text,
  /** Hex digits; null where there is no whole key. */
  pattern: v.nullable(text),
});

const queueFacts = v.object({
  adapter: id,
  domain: id,
  /** Of its queue device; null: it has none, or there is no such device. */
  driver: v.nullable(text),
  hasDevice: v.boolean(),
  /** What PQAP(TAPQ) answers now, whatever the bus knows since its last scan. */
  tapq: v.object({ responseCode: word, functions: word, type: v.pipe(word, v.maxValue(255)) }),
  /** Masks or override leave it to the host's own drivers. */
  isHostOwned: v.boolean(),
  /** The other mediated device that has it. */
  owner: v.nullable(text),
  /** Null: nothing is known of its master keys. */
  keys: v.nullable(v.array(keyRegister)),
});

const mdevFacts = v.object({
  uuid: text,
  matrix,
  guestMatrix: matrix,
  /** The guest that has it; null: none of this host's, also where somebody else holds it open. */
  guest: v.nullable(text),
  isInUse: v.boolean(),
});

export const guestFacilities = v.object({ ap: v.boolean(), apqci: v.boolean(), apft: v.boolean(), apqi: v.boolean() });

export const sideFacts = v.object({
  host: text,
  kernel: v.picklist(generationNames),
  /** Words of the matrix device's `features`; null: vfio_ap is not loaded. */
  features: v.nullable(v.array(text)),
  /** The machine's model. */
  model: text,
  /** What a guest's processors can have here. */
  facilities: guestFacilities,
  limits: v.object({ adapter: id, domain: id }),
  apmask: text,
  aqmask: text,
  /** Of the LPAR, as the bus knows since its last scan. */
  controlDomains: ids,
  /** The mediated device concerned; null: it is not there. */
  mdev: v.nullable(mdevFacts),
  /** Other mediated devices that have an adapter or a domain of the matrix. */
  neighbours: v.array(v.object({ uuid: text, guest: v.nullable(text), adapters: ids, domains: ids })),
  /** Every queue of the matrix. */
  queues: v.array(queueFacts),
  /** Master keys of the control domains that are no usage domains of the matrix. */
  controlledKeys: v.array(v.object({ adapter: id, domain: id, keys: v.array(keyRegister) })),
  /** The guest concerned; null: none of this name. */
  guest: v.nullable(v.object({ name: text, facilities: guestFacilities })),
});

export type SideFacts = v.InferOutput<typeof sideFacts>;
export type GuestFacts = NonNullable<SideFacts["guest"]>;
export type QueueFacts = v.InferOutput<typeof queueFacts>;
export type KeyRegister = v.InferOutput<typeof keyRegister>;
export type MatrixFacts = v.InferOutput<typeof matrix>;

/** About a matrix that a guest of this name has, here or at another host. */
export const matrixQuestion = v.object({ of: v.literal("matrix"), guest: v.nullable(text), uuid: v.nullable(text), matrix });
export type MatrixQuestion = v.InferOutput<typeof matrixQuestion>;

/** Of whom facts are asked: a guest of this host, or a matrix that may come to it. */
export const factsQuestion = v.variant("of", [
  v.object({ of: v.literal("guest"), name: text }),
  v.object({ of: v.literal("mdev"), uuid: text }),
  matrixQuestion,
]);
export type FactsQuestion = v.InferOutput<typeof factsQuestion>;

export const parseSideFacts = (answer: unknown): SideFacts => v.parse(sideFacts, answer);

/** What to ask a destination about what a source has. */
export const questionFor = ({ guest, mdev }: SideFacts): MatrixQuestion => ({
  of: "matrix",
  guest: guest?.name ?? null,
  uuid: mdev?.uuid ?? null,
  matrix: mdev?.guestMatrix ?? noMatrix,
});

export const noMatrix: MatrixFacts = { adapters: [], domains: [], controlDomains: [] };
