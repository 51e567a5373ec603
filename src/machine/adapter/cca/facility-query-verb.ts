import type { KeyStore } from "../../secrets/key-store.ts";
import { type MasterKeyKind, masterKeyTypes, verificationPattern } from "../../secrets/master-key.ts";
import { registerCells } from "./key-state-cells.ts";
import { readParameterBlocks } from "./parameter-blocks.ts";
import { Reason } from "./reason-codes.ts";
import { failure, success } from "./type86-reply.ts";
import { quickVerb, type Verb } from "./verb.ts";

/**
 * FQ: the adapter's serial number and the states and patterns of the domain's master keys, from which Linux makes `serialnr` and `mkvps`.
 * What Linux does not read is blank or zero, but for the DES master keys, of which there are none.
 * Source: Linux drivers/s390/crypto/zcrypt_ccamisc.c, cca_get_info.
 */
export const facilityQueryVerb = (keys: KeyStore, serialOf: (adapter: number) => string): Verb =>
  quickVerb(({ parameters, adapter, domain }) => {
    const blocks = readParameterBlocks(parameters);
    if (!blocks) return failure(Reason.invalidSize);
    const [keyword = ""] = blocks.rules;
    const query = queries.get(keyword);
    if (!query || blocks.rules.length !== 1) return failure(Reason.invalidRule);
    const cells: string[] = new Array(query.cells).fill("");
    const patterns = new Uint8Array(query.patternBytes);
    cells[serialCell] = serialOf(adapter);
    for (const [index, cell] of registerCells({ next: undefined, current: undefined, old: undefined }).entries())
      cells[desCells + index] = cell;
    for (const [kind, { cell, old, current, next }] of query.kinds) {
      const registers = keys.registers(adapter, domain, kind);
      for (const [index, text] of registerCells(registers).entries()) cells[cell + index] = text;
      const shown: [number, Uint8Array | undefined][] = [
        [old, registers.old],
        [current, registers.current],
        [next, registers.next?.state === "full" ? registers.next.key : undefined],
      ];
      for (const [offset, key] of shown) if (key) patterns.set(verificationPattern(kind, key), offset);
    }
    return success({ rules: Buffer.from(cells.map((cell) => cell.padEnd(cellBytes)).join(""), "latin1"), output: patterns });
  });

const cellBytes = 8;
const serialCell = 0;
const desCells = 1;

interface KindPlaces {
  /** Of the first of three cells: new, current, old. */
  readonly cell: number;
  /** Offsets of patterns. */
  readonly old: number;
  readonly current: number;
  readonly next: number;
}

type CcaKind = Exclude<MasterKeyKind, "ep11">;

const asym: [CcaKind, KindPlaces] = ["asym", { cell: 4, old: 64, current: 84, next: 104 }];
const aes: [CcaKind, KindPlaces] = ["aes", { cell: 7, old: 172, current: 184, next: 196 }];
const apka: [CcaKind, KindPlaces] = ["apka", { cell: 10, old: 208, current: 220, next: 232 }];

const queries: ReadonlyMap<
  string,
  { readonly cells: number; readonly patternBytes: number; readonly kinds: readonly [CcaKind, KindPlaces][] }
> = new Map([
  ["STATICSA", { cells: 10, patternBytes: 196 + masterKeyTypes.aes.patternBytes, kinds: [asym, aes] }],
  ["STATICSB", { cells: 13, patternBytes: 232 + masterKeyTypes.apka.patternBytes, kinds: [asym, aes, apka] }],
]);
