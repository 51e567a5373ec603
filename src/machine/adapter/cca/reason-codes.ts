/**
 * Return and reason codes of CCA. From a driver's RSA request the first two are EINVAL to the program, anything else but 0 sets the
 * queue offline: so only they answer to operands. Source: Linux drivers/s390/crypto/zcrypt_msgtype6.c, convert_type86_ica.
 * The other numbers and their meanings are those of IBM's CCA programmer's guide, appendix A; which of them a card gives for a
 * token that it will not use, for an export that the token forbids and for a register in the wrong state is a choice of ours.
 */
export const Reason = {
  /** The key cannot be used with this verb. */
  unusableKey: [8, 65],
  /** A length or a value is not valid. */
  invalidSize: [8, 72],
  invalidRule: [8, 33],
  /** Keywords that do not go together, or not with what the master key's register holds. */
  invalidCombination: [8, 34],
  /** What the key token allows is something else. */
  notAllowedByToken: [8, 39],
  invalidKeyForm: [8, 41],
  invalidKeyLength: [8, 43],
  /** The fixed-length token is not as it was made. */
  tokenValidation: [8, 29],
  /** Something else that is not valid in a token, or its key is not complete. */
  unusableToken: [8, 47],
  /** The token's verification pattern is that of no master key here. */
  otherMasterKey: [8, 48],
  tokenVersion: [8, 49],
  masterKeyNotLoaded: [12, 764],
  /** The verb is not available to this caller. */
  notAuthorized: [8, 90],
} as const satisfies Record<string, readonly [number, number]>;

/** With return code 0: a key was used that is wrapped under the old master key. */
export const oldMasterKeyReason = 10001;
