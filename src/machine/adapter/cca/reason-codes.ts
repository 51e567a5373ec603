/**
 * Return and reason codes of CCA. From a driver's RSA request the first two are EINVAL to the program, anything else but 0 sets the
 * queue offline: so only they answer to operands. Source: Linux drivers/s390/crypto/zcrypt_msgtype6.c, convert_type86_ica.
 */
export const Reason = {
  /** The key cannot be used with this verb. */
  unusableKey: [8, 65],
  /** A length or a value is not valid. */
  invalidSize: [8, 72],
  invalidRule: [8, 33],
  /** The verb is not available to this caller. */
  notAuthorized: [8, 90],
} as const satisfies Record<string, readonly [number, number]>;
