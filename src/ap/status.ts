/**
 * The AP queue status word: the low 32 bits of general register 1 after PQAP, NQAP and DQAP.
 * Bit 0 is the most significant of the 32. Source: Linux arch/s390/include/asm/ap.h.
 */
export const ResponseCode = {
  normal: 0x00,
  queueNotAvailable: 0x01,
  resetInProgress: 0x02,
  deconfigured: 0x03,
  checkstopped: 0x04,
  busy: 0x05,
  invalidAddress: 0x06,
  otherwiseChanged: 0x07,
  invalidGisa: 0x08,
  boundToAnother: 0x09,
  stateChangeInProgress: 0x0a,
  notBound: 0x0b,
  queueFull: 0x10,
  noPendingReply: 0x10,
  indexTooBig: 0x11,
  noFirstPart: 0x13,
  messageTooBig: 0x15,
  facilityNotInstalled: 0x16,
  bindError: 0x30,
  notAvailableForAssociation: 0x31,
  notEmpty: 0x32,
  bindLimitExceeded: 0x33,
  invalidAssociationSecret: 0x34,
  associationSecretNotUnique: 0x35,
  associationFailed: 0x36,
  invalidDomain: 0x42,
} as const;

const queueEmptyBit = 0x80000000;
const repliesWaitingBit = 0x40000000;
const queueFullBit = 0x20000000;
const asynchronousBit = 0x02000000;
const irqEnabledBit = 0x01000000;

export interface QueueStatus {
  readonly queueEmpty: boolean;
  readonly repliesWaiting: boolean;
  readonly queueFull: boolean;
  readonly asynchronous: boolean;
  readonly irqEnabled: boolean;
  /** 0x00..0xff, see ResponseCode. */
  readonly responseCode: number;
}

export function encodeStatus(status: Partial<QueueStatus>): number {
  return (
    ((status.queueEmpty ? queueEmptyBit : 0) |
      (status.repliesWaiting ? repliesWaitingBit : 0) |
      (status.queueFull ? queueFullBit : 0) |
      (status.asynchronous ? asynchronousBit : 0) |
      (status.irqEnabled ? irqEnabledBit : 0) |
      ((status.responseCode ?? 0) << 16)) >>>
    0
  );
}

export function decodeStatus(word: number): QueueStatus {
  return {
    queueEmpty: (word & queueEmptyBit) !== 0,
    repliesWaiting: (word & repliesWaitingBit) !== 0,
    queueFull: (word & queueFullBit) !== 0,
    asynchronous: (word & asynchronousBit) !== 0,
    irqEnabled: (word & irqEnabledBit) !== 0,
    responseCode: responseCodeOf(word),
  };
}

export const responseCodeOf = (word: number): number => (word >>> 16) & 0xff;
