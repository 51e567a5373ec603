import { randomBytes } from "node:crypto";
import type { KeyStore } from "../../secrets/key-store.ts";
import { type Completeness, isAesKeyBytes, isSkeleton, unwrapCipherKey, wrapCipherKey } from "./aes-cipher-token.ts";
import { hasRules } from "./aes-data-verbs.ts";
import { keyTokenTag, readTaggedBlocks, taggedBlock } from "./key-block.ts";
import { aesMasterKeys, isReason, type WrappingMasterKeys } from "./master-key-choice.ts";
import { readParameterBlocks } from "./parameter-blocks.ts";
import { protectedKeyBlock } from "./protected-key.ts";
import { oldMasterKeyReason, Reason } from "./reason-codes.ts";
import { failure, success, type VerbResult } from "./type86-reply.ts";
import { quickVerb, type Verb } from "./verb.ts";

/** GK: a random AES CIPHER key as the skeleton in the third of six key blocks says. */
export const generateCipherKeyVerb = (keys: KeyStore): Verb =>
  quickVerb((request) => {
    const blocks = readParameterBlocks(request.parameters);
    const keyBlocks = blocks && readTaggedBlocks(blocks.key);
    if (!blocks || keyBlocks?.length !== 6 || blocks.data.length < generation.bytes) return failure(Reason.invalidSize);
    if (!hasRules(blocks, "AES     ", "OP      ")) return failure(Reason.invalidRule);
    const bytes = ((blocks.data[generation.bits]! << 8) | blocks.data[generation.bits + 1]!) / 8;
    if (!isAesKeyBytes(bytes)) return failure(Reason.invalidSize);
    const skeleton = keyBlocks[2]!.value;
    if (!isSkeleton(skeleton)) return failure(Reason.unusableToken);
    const masterKeys = aesMasterKeys(keys, request);
    if (isReason(masterKeys)) return failure(masterKeys);
    return tokenResult(wrapCipherKey(skeleton, randomBytes(bytes), "complete", masterKeys.current));
  });

/** Two types of keys of eight characters each, bits, and four lengths of names and user data. */
const generation = { bits: 16, bytes: 26 } as const;

/** IP: parts of a key in the clear, one a message; the token remembers their XOR and how many are still needed. */
export const importCipherKeyVerb = (keys: KeyStore): Verb =>
  quickVerb((request) => {
    const blocks = readParameterBlocks(request.parameters);
    const values = blocks && readTaggedBlocks(blocks.data);
    const [token] = (blocks && readTaggedBlocks(blocks.key)) ?? [];
    if (!blocks || !values || !token) return failure(Reason.invalidSize);
    const [algorithm, step, minimum] = blocks.rules;
    if (algorithm !== "AES     ") return failure(Reason.invalidRule);
    const part = values.find(({ tag }) => tag === clearKeyTag)?.value;
    const masterKeys = aesMasterKeys(keys, request);
    if (step === "FIRST   ") return firstPart(token.value, part, minimum, masterKeys);
    if (minimum !== undefined) return failure(Reason.invalidCombination);
    if (step === "ADD-PART") return furtherPart(token.value, part, masterKeys);
    return step === "COMPLETE" ? completed(token.value, masterKeys) : failure(Reason.invalidRule);
  });

const clearKeyTag = 0x0063;

/** What a first part leaves to be done, by the keyword for the least number of parts. */
const afterFirst: ReadonlyMap<string, Completeness> = new Map([
  ["MIN1PART", "completable"],
  ["MIN2PART", "needs-one-part"],
  ["MIN3PART", "needs-two-parts"],
]);
const afterFurther: Readonly<Record<Exclude<Completeness, "complete">, Completeness>> = {
  "needs-two-parts": "needs-one-part",
  "needs-one-part": "completable",
  completable: "completable",
};

type MaybeMasterKeys = ReturnType<typeof aesMasterKeys>;

function firstPart(
  skeleton: Uint8Array,
  part: Uint8Array | undefined,
  minimum: string | undefined,
  masterKeys: MaybeMasterKeys,
): VerbResult {
  const completeness = afterFirst.get(minimum ?? "MIN2PART");
  if (!completeness) return failure(Reason.invalidRule);
  if (!part || !isAesKeyBytes(part.length)) return failure(Reason.invalidSize);
  if (!isSkeleton(skeleton)) return failure(Reason.unusableToken);
  if (isReason(masterKeys)) return failure(masterKeys);
  return tokenResult(wrapCipherKey(skeleton, part, completeness, masterKeys.current));
}

function furtherPart(token: Uint8Array, part: Uint8Array | undefined, masterKeys: MaybeMasterKeys): VerbResult {
  if (isReason(masterKeys)) return failure(masterKeys);
  const partial = unwrapCipherKey(token, masterKeys);
  if (isReason(partial)) return failure(partial);
  if (partial.completeness === "complete") return failure(Reason.unusableToken);
  if (part?.length !== partial.key.length) return failure(Reason.invalidSize);
  const key = partial.key.map((byte, index) => byte ^ part[index]!);
  return tokenResult(wrapCipherKey(token, key, afterFurther[partial.completeness], masterKeys.current), partial.isUnderOldMasterKey);
}

function completed(token: Uint8Array, masterKeys: MaybeMasterKeys): VerbResult {
  if (isReason(masterKeys)) return failure(masterKeys);
  const partial = unwrapCipherKey(token, masterKeys);
  if (isReason(partial)) return failure(partial);
  if (partial.completeness !== "completable") return failure(Reason.unusableToken);
  return tokenResult(wrapCipherKey(token, partial.key, "complete", masterKeys.current), partial.isUnderOldMasterKey);
}

/** AU: an AES CIPHER key becomes a protected key, if its token allows it. Tokens of ECC keys are not known. */
export const unwrapCipherKeyVerb = (keys: KeyStore, protectionKey: Uint8Array): Verb =>
  quickVerb((request) => {
    const blocks = readParameterBlocks(request.parameters);
    const [block] = (blocks && readTaggedBlocks(blocks.key)) ?? [];
    if (!blocks || !block) return failure(Reason.invalidSize);
    if (!hasRules(blocks, "EXPT-SK ")) return failure(Reason.invalidRule);
    const masterKeys = aesMasterKeys(keys, request);
    if (isReason(masterKeys)) return failure(masterKeys);
    const unwrapped = exportableKey(block.value, masterKeys);
    if (isReason(unwrapped)) return failure(unwrapped);
    const output = taggedBlock(protectedKeyTag, protectedKeyBlock(unwrapped.key, protectionKey));
    return success({ output, reasonCode: unwrapped.isUnderOldMasterKey ? oldMasterKeyReason : 0 });
  });

const protectedKeyTag = 0x00c2;

function exportableKey(token: Uint8Array, masterKeys: WrappingMasterKeys) {
  const unwrapped = unwrapCipherKey(token, masterKeys);
  if (isReason(unwrapped)) return unwrapped;
  if (unwrapped.completeness !== "complete") return Reason.unusableToken;
  return unwrapped.isExportable ? unwrapped : Reason.notAllowedByToken;
}

const tokenResult = (token: Uint8Array, isUnderOldMasterKey = false): VerbResult =>
  success({ key: taggedBlock(keyTokenTag, token), reasonCode: isUnderOldMasterKey ? oldMasterKeyReason : 0 });
