import { createHash } from "node:crypto";

/** An adapter's serial number, always the same for a machine and an adapter number: letters and digits as on a real card. */
export function serialNumber(machine: string, adapter: number, characters: number): string {
  const digest = createHash("sha256").update(`adjunct serial number ${machine} ${adapter}`).digest("hex");
  return `93AA${digest.replace(/\D/g, "").padEnd(characters, "0")}`.slice(0, characters);
}
