import { protectedKey } from "../protected-key.ts";
import { type AesMechanism, aesMechanism, type Mechanism, readMechanism } from "./aes-mechanism.ts";
import type { Ep11Context, Ep11Function } from "./ep11-function.ts";
import { openKey, type SecureKey } from "./key-blob.ts";
import { KeyAttribute } from "./key-template.ts";
import { protectedKeyApi } from "./module-info.ts";
import { ReturnValue, refuse } from "./return-value.ts";

/**
 * WrapKey: a key for the outside, encrypted by another one; or, by the CPACF mechanism, as a protected key, which needs the special
 * bit of NQAP and the API that has protected keys. `protectionKey`: 32 bytes under which protected keys are. Source: Linux zcrypt_ep11misc.c, ep11_wrapkey and ep11_kblob2protkey.
 */
export function wrapKey(protectionKey: Uint8Array): Ep11Function {
  return (parameters, context) => {
    parameters.plainVariant();
    const mechanism = readMechanism(parameters.bytes());
    const blob = parameters.bytes();
    const wrappingBlob = parameters.bytes();
    // No key for a MAC: no mechanism here takes one.
    parameters.empty();
    parameters.end();
    if (mechanism.id !== cpacfWrap) {
      const cipher = aesMechanism(mechanism);
      return [wrapped(openKey(blob, context.keys), openKey(wrappingBlob, context.keys), cipher)];
    }
    checkCpacfWrap(mechanism, context);
    if (wrappingBlob.length > 0) refuse(ReturnValue.argumentsBad);
    const { value, attributes } = openKey(blob, context.keys);
    if ((attributes & KeyAttribute.protectedKeyExtractable) === 0) refuse(ReturnValue.keyUnextractable);
    return [wrapInfo(value, protectedKey(value, protectionKey))];
  };
}

/** CKM_IBM_CPACF_WRAP. */
const cpacfWrap = 0x80060001;

function wrapped(key: SecureKey, wrappingKey: SecureKey, cipher: AesMechanism): Uint8Array {
  if ((wrappingKey.attributes & KeyAttribute.wrap) === 0) refuse(ReturnValue.keyFunctionNotPermitted);
  if ((key.attributes & KeyAttribute.extractable) === 0) refuse(ReturnValue.keyUnextractable);
  return cipher.encrypt(wrappingKey.value, key.value, ReturnValue.keySizeRange);
}

function checkCpacfWrap(mechanism: Mechanism, { request, apiOrdinal }: Ep11Context): void {
  if (apiOrdinal < protectedKeyApi) refuse(ReturnValue.mechanismInvalid);
  // Linux sends an initialization vector, which has no use.
  if (mechanism.parameter.length !== 0 && mechanism.parameter.length !== 16) refuse(ReturnValue.mechanismParameterInvalid);
  // Only with the bit does the machine join in, whose key it is that protects.
  if (!request.isSpecial) refuse(ReturnValue.functionCanceled);
}

/** struct wk_info; its length of the protected key has eight bytes, of which these are the right half. */
const infoFields = { version: 0, type: 18, bits: 22, protectedBytes: 30, protectedKey: 42 } as const;
const infoVersion = 1;
const aesType = 1;

function wrapInfo(value: Uint8Array, wrapped: Uint8Array): Uint8Array {
  const info = Buffer.alloc(infoFields.protectedKey + wrapped.length);
  info.writeUInt16BE(infoVersion, infoFields.version);
  info.writeUInt32BE(aesType, infoFields.type);
  info.writeUInt32BE(value.length * 8, infoFields.bits);
  info.writeUInt32BE(wrapped.length, infoFields.protectedBytes);
  info.set(wrapped, infoFields.protectedKey);
  return info;
}
