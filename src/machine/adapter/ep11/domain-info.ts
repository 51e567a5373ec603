import { verificationPattern } from "../../secrets/master-key.ts";
import { protectedKeyApi } from "./module-info.ts";
import { defaultOperatingModes } from "./operating-modes.ts";
import type { WrappingKeys } from "./wrapping-keys.ts";

/**
 * What a domain says of its wrapping keys, 80 bytes; Linux makes mkvps and op_modes of a queue of it. A domain without keys is in
 * imprint mode: nobody administers it. Source: Linux drivers/s390/crypto/zcrypt_ep11misc.c, ep11_get_domain_info; ep11.h, CK_IBM_DOM_*.
 */
export function domainInfo(domain: number, apiOrdinal: number, { current, next }: WrappingKeys): Uint8Array {
  const info = Buffer.alloc(infoBytes);
  info.writeUInt32BE(domain, fields.domain);
  if (current) info.set(verificationPattern("ep11", current), fields.currentPattern);
  if (next) info.set(verificationPattern("ep11", next.key), fields.nextPattern);
  const flags = [
    current || next ? DomainFlag.hasAdministrators | DomainFlag.hasLeftImprintMode : 0,
    current ? DomainFlag.hasCurrentKey : 0,
    next ? DomainFlag.hasNextKey : 0,
    next?.isCommitted ? DomainFlag.nextKeyIsCommitted : 0,
    apiOrdinal >= protectedKeyApi ? DomainFlag.allowsProtectedKeys : 0,
  ];
  info.writeUInt32BE(
    flags.reduce((all, flag) => all | flag, 0),
    fields.flags,
  );
  info.writeBigUInt64BE(defaultOperatingModes, fields.operatingModes);
  return info;
}

const infoBytes = 80;
const fields = { domain: 0, currentPattern: 4, nextPattern: 36, flags: 68, operatingModes: 72 } as const;
const DomainFlag = {
  hasAdministrators: 0x01,
  hasCurrentKey: 0x02,
  hasNextKey: 0x04,
  nextKeyIsCommitted: 0x08,
  hasLeftImprintMode: 0x10,
  allowsProtectedKeys: 0x20,
} as const;
