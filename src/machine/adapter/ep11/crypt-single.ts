import { type AesMechanism, aesMechanism, readMechanism } from "./aes-mechanism.ts";
import type { Ep11Context, Ep11Function } from "./ep11-function.ts";
import { openKey } from "./key-blob.ts";
import { KeyAttribute } from "./key-template.ts";
import type { ParameterReader } from "./parameter-reader.ts";
import { ReturnValue, refuse } from "./return-value.ts";

/** EncryptSingle: data in one piece under a key blob. Source: Linux zcrypt_ep11misc.c, ep11_cryptsingle. */
export const encryptSingle: Ep11Function = (parameters, context) => {
  const { mechanism, value, data } = readCall(parameters, context, KeyAttribute.encrypt);
  return [mechanism.encrypt(value, data, ReturnValue.dataLengthRange)];
};

/** DecryptSingle. */
export const decryptSingle: Ep11Function = (parameters, context) => {
  const { mechanism, value, data } = readCall(parameters, context, KeyAttribute.decrypt);
  return [mechanism.decrypt(value, data, refusals)];
};

const refusals = { badLength: ReturnValue.encryptedDataLengthRange, badPadding: ReturnValue.encryptedDataInvalid } as const;

interface CryptCall {
  readonly mechanism: AesMechanism;
  readonly value: Uint8Array;
  readonly data: Uint8Array;
}

function readCall(parameters: ParameterReader, { keys }: Ep11Context, use: number): CryptCall {
  parameters.plainVariant();
  const mechanism = aesMechanism(readMechanism(parameters.bytes()));
  const blob = parameters.bytes();
  const data = parameters.bytes();
  parameters.end();
  const { value, attributes } = openKey(blob, keys);
  if ((attributes & use) === 0) refuse(ReturnValue.keyFunctionNotPermitted);
  return { mechanism, value, data };
}
