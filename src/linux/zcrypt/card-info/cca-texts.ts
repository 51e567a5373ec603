import { type CcaInfo, masterKeyKinds, type RegisterName, registerNames } from "./cca-info.ts";

/** Texts of `serialnr` and `mkvps` of CCA coprocessors. Source: Linux drivers/s390/crypto/zcrypt_cex4.c. */
const stateNames: Readonly<Record<RegisterName, Readonly<Record<string, string>>>> = {
  NEW: { "1": "empty", "2": "partial", "3": "full" },
  CUR: { "1": "invalid", "2": "valid" },
  OLD: { "1": "invalid", "2": "valid" },
};

export const ccaSerialText = ({ serial }: CcaInfo): string => `${serial}\n`;

/** Nine lines; a register of which nothing is known has none. */
export function ccaPatternsText({ registers }: CcaInfo): string {
  return masterKeyKinds
    .flatMap((kind) =>
      registerNames.map((name) => {
        const register = registers.find((candidate) => candidate.kind === kind && candidate.name === name);
        const state = register && stateNames[name][register.state];
        return `${kind} ${name}: ${register && state ? `${state} 0x${register.pattern}` : "- -"}\n`;
      }),
    )
    .join("");
}

export const unknownCca: CcaInfo = { serial: "", registers: [] };
