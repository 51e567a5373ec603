import { randomBytes } from "node:crypto";
import { readMechanism } from "./aes-mechanism.ts";
import type { Ep11Function } from "./ep11-function.ts";
import { sealKey } from "./key-blob.ts";
import { keyCheckValue } from "./key-check-value.ts";
import { attributesOfLocalKey, isAesKeySize, KeyType, readKeyTemplate } from "./key-template.ts";
import { ReturnValue, refuse } from "./return-value.ts";

/** GenerateKey: a random AES key as a blob, and its check value. Source: Linux zcrypt_ep11misc.c, ep11_genaeskey. */
export const generateKey: Ep11Function = (parameters, { keys }) => {
  parameters.plainVariant();
  const keyBytes = parameters.number();
  const mechanism = readMechanism(parameters.bytes());
  const template = readKeyTemplate(parameters.bytes());
  parameters.noSession();
  parameters.end();
  if (mechanism.id !== aesKeyGeneration) refuse(ReturnValue.mechanismInvalid);
  if (mechanism.parameter.length > 0) refuse(ReturnValue.mechanismParameterInvalid);
  const { attributes, keyType = KeyType.aes, valueBytes = keyBytes } = template;
  if (keyType !== KeyType.aes || valueBytes !== keyBytes) refuse(ReturnValue.templateInconsistent);
  if (!isAesKeySize(keyBytes)) refuse(ReturnValue.keySizeRange);
  const value = randomBytes(keyBytes);
  return [sealKey({ value, attributes: attributesOfLocalKey(attributes) }, keys), keyCheckValue(value)];
};

/** CKM_AES_KEY_GEN. */
const aesKeyGeneration = 0x1080;
