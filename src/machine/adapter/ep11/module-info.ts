import { createHash } from "node:crypto";
import { type AdapterProfile, firstPassThroughType } from "../../adapter-profile.ts";
import { defaultOperatingModes } from "./operating-modes.ts";

/**
 * What an EP11 coprocessor says of itself, 196 bytes; Linux makes API_ordinalnr, FW_version, serialnr and op_modes of a card of it.
 * Source: Linux drivers/s390/crypto/zcrypt_ep11misc.c, struct ep11_module_query_info. What is not set is of what is not there:
 * states, sessions, asymmetric keys, control points, a clock.
 */
export function moduleInfo(profile: AdapterProfile, serialNumber: string): Uint8Array {
  const { apiOrdinal, major, minor } = firmwareOf(profile);
  const firmware = createHash("sha256").update(`adjunct ep11 firmware ${major}.${minor}`).digest();
  const info = Buffer.alloc(infoBytes);
  info.writeUInt32BE(apiOrdinal, fields.apiOrdinal);
  info.set(firmware.subarray(0, 4), fields.firmwareId);
  info.set([major, minor], fields.firmwareVersion);
  info.set([major, minor], fields.supportVersion);
  for (const offset of [fields.firmwareHash, fields.configurationHash, fields.supportHash]) info.set(firmware, offset);
  info.write(serialNumber, fields.serialNumber, "latin1");
  info.write("0".repeat(16), fields.time, "latin1");
  info.writeBigUInt64BE(defaultOperatingModes, fields.operatingModes);
  info.writeUInt32BE(apiOrdinal >= protectedKeyApi ? toleratesProtectedKeys : 0, fields.extendedFlags);
  info.writeUInt32BE(profile.maxDomain + 1, fields.domains);
  info.writeUInt32BE(symmetricBlobBytes, fields.symmetricBlobBytes);
  info.writeUInt32BE((profile.messageLimit || 3) * 4096 - messageHeadBytes, fields.maxPayload);
  return info;
}

const infoBytes = 196;
const fields = {
  ...{ apiOrdinal: 0, firmwareId: 4, firmwareVersion: 8, supportVersion: 10 },
  ...{ firmwareHash: 12, configurationHash: 44, supportHash: 76, serialNumber: 108, time: 124 },
  ...{ operatingModes: 140, extendedFlags: 152, domains: 156, symmetricBlobBytes: 180, maxPayload: 184 },
} as const;
const toleratesProtectedKeys = 0x400;
const symmetricBlobBytes = 256;
/** Header of type 6 and CPRB. */
const messageHeadBytes = 88 + 32;

interface Firmware {
  readonly apiOrdinal: number;
  readonly major: number;
  readonly minor: number;
}

/** From CEX4P. Known: ordinal 4 is CEX7P's, as Linux asks for both for protected keys; ordinal 6 and 8.39 of a CEX8P. Others stand in. */
const firmwares: readonly Firmware[] = [
  { apiOrdinal: 1, major: 4, minor: 0 },
  { apiOrdinal: 2, major: 5, minor: 0 },
  { apiOrdinal: 3, major: 6, minor: 0 },
  { apiOrdinal: 4, major: 7, minor: 0 },
  { apiOrdinal: 6, major: 8, minor: 39 },
];

function firmwareOf({ type }: AdapterProfile): Firmware {
  const index = Math.min(Math.max(type - firstPassThroughType, 0), firmwares.length - 1);
  return firmwares[index]!;
}

/** The lowest API that has protected keys (ep11.h, XCP_API_ALLOW_PROTKEY). */
export const protectedKeyApi = 4;

/** The highest API that the adapter speaks. */
export const apiOrdinalOf = (profile: AdapterProfile): number => firmwareOf(profile).apiOrdinal;
