import { randomBytes } from "node:crypto";
import type { KeyStore } from "../../secrets/key-store.ts";
import { isAesKeyBytes } from "./aes-cipher-token.ts";
import { unwrapAesData, wrapAesData } from "./aes-data-token.ts";
import { keyTokenTag, readTaggedBlocks, taggedBlock } from "./key-block.ts";
import { aesMasterKeys, isReason } from "./master-key-choice.ts";
import { type ParameterBlocks, readParameterBlocks } from "./parameter-blocks.ts";
import { protectedKeyBlock } from "./protected-key.ts";
import { oldMasterKeyReason, Reason } from "./reason-codes.ts";
import { failure, success, type VerbResult } from "./type86-reply.ts";
import { quickVerb, type Verb, type VerbRequest } from "./verb.ts";

/** KG: a random AES DATA key. Its parameter has four keywords: form, length, type and a second type. */
export const generateDataKeyVerb = (keys: KeyStore): Verb =>
  quickVerb((request) => {
    const blocks = readParameterBlocks(request.parameters);
    const keyBlocks = blocks && readTaggedBlocks(blocks.key);
    if (!blocks || blocks.data.length !== keyWordsBytes || keyBlocks?.length !== 6) return failure(Reason.invalidSize);
    const [form, length = "", type] = wordsOf(blocks.data);
    if (blocks.rules.length > 0 || type !== "AESDATA ") return failure(Reason.invalidRule);
    if (form !== "OP      ") return failure(Reason.invalidKeyForm);
    const bytes = keyBytesByWord.get(length);
    if (bytes === undefined) return failure(Reason.invalidKeyLength);
    return wrapped(randomBytes(bytes), keys, request);
  });

/** CM: a key in the clear becomes an AES DATA key. */
export const importDataKeyVerb = (keys: KeyStore): Verb =>
  quickVerb((request) => {
    const blocks = readParameterBlocks(request.parameters);
    if (!blocks || !isAesKeyBytes(blocks.data.length)) return failure(Reason.invalidSize);
    if (!hasRules(blocks, "AES     ")) return failure(Reason.invalidRule);
    return wrapped(blocks.data, keys, request);
  });

/** US: an AES DATA key becomes a protected key. */
export const unwrapDataKeyVerb = (keys: KeyStore, protectionKey: Uint8Array): Verb =>
  quickVerb((request) => {
    const blocks = readParameterBlocks(request.parameters);
    const [block] = (blocks && readTaggedBlocks(blocks.key)) ?? [];
    if (!blocks || !block) return failure(Reason.invalidSize);
    if (blocks.rules.length > 0) return failure(Reason.invalidRule);
    const masterKeys = aesMasterKeys(keys, request);
    if (isReason(masterKeys)) return failure(masterKeys);
    const unwrapped = unwrapAesData(block.value, masterKeys);
    if (isReason(unwrapped)) return failure(unwrapped);
    const output = taggedBlock(protectedKeyTag, protectedKeyBlock(unwrapped.key, protectionKey));
    return success({ output, reasonCode: unwrapped.isUnderOldMasterKey ? oldMasterKeyReason : 0 });
  });

/** The flags that come with the protected key; nobody reads them. */
const protectedKeyTag = 0x0000;

const keyBytesByWord: ReadonlyMap<string, number> = new Map([
  ["KEYLN16 ", 16],
  ["KEYLN24 ", 24],
  ["KEYLN32 ", 32],
]);
const keyWordsBytes = 32;

const wordsOf = (bytes: Uint8Array): string[] => String.fromCharCode(...bytes).match(/.{8}/gs) ?? [];

export const hasRules = ({ rules }: ParameterBlocks, ...words: string[]): boolean =>
  rules.length === words.length && words.every((word, index) => rules[index] === word);

function wrapped(key: Uint8Array, keys: KeyStore, request: VerbRequest): VerbResult {
  const masterKeys = aesMasterKeys(keys, request);
  if (isReason(masterKeys)) return failure(masterKeys);
  return success({ key: taggedBlock(keyTokenTag, wrapAesData(key, masterKeys.current)) });
}
