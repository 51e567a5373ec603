import { aesMechanism, readMechanism } from "./aes-mechanism.ts";
import type { Ep11Function } from "./ep11-function.ts";
import { openKey, sealKey } from "./key-blob.ts";
import { keyCheckValue } from "./key-check-value.ts";
import { isAesKeySize, KeyAttribute, KeyType, readKeyTemplate } from "./key-template.ts";
import { ReturnValue, refuse } from "./return-value.ts";

/**
 * UnwrapKey: an AES key that comes encrypted by another one becomes a blob; after it its check value and its bits. Linux imports
 * clear keys so. Source: Linux zcrypt_ep11misc.c, ep11_unwrapkey; for the bits ep11.h, XCP_KEYBITS_FIELD_BYTES.
 */
export const unwrapKey: Ep11Function = (parameters, { keys }) => {
  const { attributes, keyType, valueBytes } = readKeyTemplate(parameters.bytes());
  const mechanism = aesMechanism(readMechanism(parameters.bytes()));
  const wrappingBlob = parameters.bytes();
  // No key for a MAC: no mechanism here takes one.
  parameters.empty();
  parameters.noSession();
  const wrapped = parameters.bytes();
  parameters.end();
  if (keyType === undefined) refuse(ReturnValue.templateIncomplete);
  if (keyType !== KeyType.aes) refuse(ReturnValue.templateInconsistent);

  const wrappingKey = openKey(wrappingBlob, keys);
  if ((wrappingKey.attributes & KeyAttribute.unwrap) === 0) refuse(ReturnValue.keyFunctionNotPermitted);
  const value = mechanism.decrypt(wrappingKey.value, wrapped, refusals);
  if (!isAesKeySize(value.length)) refuse(ReturnValue.wrappedKeyLengthRange);
  if (valueBytes !== undefined && valueBytes !== value.length) refuse(ReturnValue.templateInconsistent);
  return [sealKey({ value, attributes }, keys), Buffer.concat([keyCheckValue(value), bitsOf(value)])];
};

const refusals = { badLength: ReturnValue.wrappedKeyLengthRange, badPadding: ReturnValue.wrappedKeyInvalid } as const;

function bitsOf(value: Uint8Array): Uint8Array {
  const bits = Buffer.alloc(4);
  bits.writeUInt32BE(value.length * 8);
  return bits;
}
