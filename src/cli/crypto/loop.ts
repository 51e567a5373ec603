import { generateKeyPairSync } from "node:crypto";
import type { ControlClient } from "../../host/control-client.ts";
import type { LoopReport } from "../../host/loop-commands.ts";

/** Starts the loop of signatures in a guest, with a key that OpenSSL makes here. */
export async function startLoop(client: ControlClient, guest: string, bits: number): Promise<LoopReport> {
  const { n, e, p, q, dp, dq, qi } = generateKeyPairSync("rsa", { modulusLength: bits }).privateKey.export({ format: "jwk" });
  const key = { n: hex(n), e: hex(e), p: hex(p), q: hex(q), dp: hex(dp), dq: hex(dq), u: hex(qi) };
  return (await client.request({ do: "loop", action: "start", guest, key })) as LoopReport;
}

export async function askLoop(client: ControlClient, guest: string, action: "show" | "stop"): Promise<LoopReport> {
  return (await client.request({ do: "loop", action, guest })) as LoopReport;
}

const hex = (part = ""): string => Buffer.from(part, "base64url").toString("hex");

export function loopLines(guest: string, { state, bits, signatures, wrong, sentAgain, error, startedAt, now }: LoopReport): string[] {
  const counts = `${signatures} signatures, ${wrong} wrong, ${sentAgain} sent again`;
  const end = error === null ? state : `ended: ${error}`;
  return [`${guest}: RSA with ${bits} bits, ${end}; ${counts} since second ${startedAt.toFixed(1)} of ${now.toFixed(1)}`];
}
