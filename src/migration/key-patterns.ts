import type { KeyRegister } from "./side-facts.ts";

/** A line such as `AES CUR: valid 0x1234`; a state of `-` says that the card did not tell. */
const line = /^(AES|APKA|ASYM|WK) (NEW|CUR|OLD): ([a-z]+) (-|0x[0-9a-f]+)$/;
const zeros = /^0*$/;

/** What a text of `mkvps` tells; undefined where it tells nothing, as of a queue that was offline. Source: Linux drivers/s390/crypto/zcrypt_cex4.c. */
export function keyRegistersOf(text: string): KeyRegister[] | undefined {
  const registers = text.split("\n").flatMap((part): KeyRegister[] => {
    const [, key, register, state, digits] = line.exec(part) ?? [];
    if (key === undefined || state === undefined || digits === undefined) return [];
    const pattern = digits.replace(/^(0x|-)/, "");
    return [{ key, register: register as KeyRegister["register"], state, pattern: zeros.test(pattern) ? null : pattern }];
  });
  return registers.length > 0 ? registers : undefined;
}
