import type { Ep11CardInfo, Ep11DomainInfo, WrappingKey } from "./ep11-info.ts";

/** Texts of the files of EP11 coprocessors and their queues. Source: Linux drivers/s390/crypto/zcrypt_cex4.c. */
const modeNames: readonly (readonly [bit: bigint, name: string])[] = [
  [0n, "FIPS2009"],
  [1n, "BSI2009"],
  [2n, "FIPS2011"],
  [3n, "BSI2011"],
  [4n, "SIGG-IMPORT"],
  [5n, "SIGG"],
  [6n, "BSICC2017"],
  [7n, "FIPS2021"],
  [8n, "FIPS2024"],
];

export const operationModesText = ({ operationModes }: { readonly operationModes: bigint }): string =>
  `${modeNames
    .filter(([bit]) => (operationModes & (1n << bit)) !== 0n)
    .map(([, name]) => name)
    .join(" ")}\n`;

export const apiOrdinalText = ({ apiOrdinal }: Ep11CardInfo): string => (apiOrdinal > 0 ? `${apiOrdinal}\n` : "\n");

export const firmwareText = ({ firmware: [major, minor] }: Ep11CardInfo): string => (major + minor > 0 ? `${major}.${minor}\n` : "\n");

export const ep11SerialText = ({ serial }: Ep11CardInfo): string => (serial === "" ? "\n" : `${serial.padStart(16)}\n`);

export const wrappingKeysText = ({ current, next }: Ep11DomainInfo): string =>
  `WK CUR: ${wrappingKeyText(current)}\nWK NEW: ${wrappingKeyText(next)}\n`;

const wrappingKeyText = ({ state, pattern }: WrappingKey): string => `${state} ${pattern === undefined ? "-" : `0x${pattern}`}`;
