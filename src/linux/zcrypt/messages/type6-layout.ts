/**
 * Where things are in messages of type 6 and their replies of type 86. Numbers are big-endian.
 * Source: Linux drivers/s390/crypto/zcrypt_msgtype6.h; arch/s390/include/uapi/asm/zcrypt.h, struct CPRBX and struct ep11_cprb.
 */
export const type6Header = {
  bytes: 88,
  type: 1,
  offset1: 16,
  offset2: 20,
  agent: 32,
  requestId: 48,
  functionCode: 52,
  requestBytes: 56,
  requestDataBytes: 60,
  replyBytes: 72,
  replyDataBytes: 76,
} as const;

export const type86Header = { bytes: 48, status: 12, count1: 16, offset1: 20, count2: 24, offset2: 28 } as const;

export const cprbx = {
  bytes: 220,
  length: 0,
  version: 2,
  functionId: 6,
  requestParameterBytes: 12,
  replyBlockBytes: 20,
  replyDataBytes: 28,
  returnCode: 144,
  reasonCode: 146,
  domain: 170,
} as const;
export const cprbxVersion = 2;

export const ep11Cprb = {
  bytes: 32,
  length: 0,
  version: 2,
  flags: 5,
  functionId: 6,
  target: 12,
  returnCode: 16,
  payloadBytes: 28,
} as const;
export const ep11CprbVersion = 4;

/** Domain that stands for any. */
export const anyDomain = 0xffff;
