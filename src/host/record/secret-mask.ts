/**
 * Takes serial numbers and master keys' patterns out of a recording. Equal patterns stay equal within one recording, so that it still
 * shows which queues have the same master key.
 */
export class SecretMask {
  readonly #patterns: string[] = [];

  constructor(private readonly isOn: boolean) {}

  /** As long as it was, but for cards without one. */
  serial(text: string, cardName: string): string {
    const serial = text.replace(/\n$/, "");
    if (!this.isOn || serial.trim() === "") return text;
    return `${`MASKED${cardName.slice(-2)}`.padEnd(serial.length, "0").slice(0, serial.length)}\n`;
  }

  /** Every hexadecimal pattern becomes its number among those seen; all zeros stay. */
  patterns(text: string): string {
    if (!this.isOn) return text;
    return text.replaceAll(
      /0x([0-9a-f]+)/g,
      (_, digits: string) => `0x${this.#numberOf(digits).toString(16).padStart(digits.length, "0")}`,
    );
  }

  #numberOf(digits: string): number {
    if (/^0+$/.test(digits)) return 0;
    const known = this.#patterns.indexOf(digits);
    return known >= 0 ? known + 1 : this.#patterns.push(digits);
  }
}
