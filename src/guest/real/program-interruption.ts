import type { ProgramInterruption } from "../../ap/platform.ts";
import type { GdbClient } from "./gdb/gdb-client.ts";
import type { Psw } from "./psw.ts";

/**
 * A program interruption as a processor takes it: code and instruction length into its prefix area, the old PSW behind the instruction
 * saved, the new one loaded. Source: z/Architecture Principles of Operation, chapter 6, "Program Interruption".
 */
const codes: Readonly<Record<ProgramInterruption, number>> = {
  operation: 0x01,
  "privileged-operation": 0x02,
  addressing: 0x05,
  specification: 0x06,
};

const prefixArea = { identification: 0x8c, oldPsw: 0x150, newPsw: 0x1d0 } as const;

/** The PSW that the stopped processor goes on with. */
export async function interrupt(client: GdbClient, interruption: ProgramInterruption, psw: Psw, instructionBytes: number): Promise<Psw> {
  const identification = (instructionBytes << 16) | codes[interruption];
  await store(client, prefixArea.identification, identification.toString(16).padStart(8, "0"));
  await store(client, prefixArea.oldPsw, hex(psw.mask) + hex(psw.address + BigInt(instructionBytes)));
  const text = await client.request(`m${prefixArea.newPsw.toString(16)},10`);
  if (text.length !== 32) throw new Error("the prefix area is not to be read");
  return { mask: BigInt(`0x${text.slice(0, 16)}`), address: BigInt(`0x${text.slice(16)}`) };
}

const store = (client: GdbClient, address: number, bytes: string): Promise<void> =>
  client.command(`M${address.toString(16)},${(bytes.length / 2).toString(16)}:${bytes}`);

const hex = (value: bigint): string => value.toString(16).padStart(16, "0");
