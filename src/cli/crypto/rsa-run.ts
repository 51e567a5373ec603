import { constants, generateKeyPairSync, publicEncrypt, randomBytes } from "node:crypto";
import { Refusal } from "../../host/control-protocol.ts";
import type { CryptoClient } from "./crypto-client.ts";
import { inFlight } from "./in-flight.ts";

/**
 * Sends RSA operations through zcrypt with a key that OpenSSL made, and compares each result with OpenSSL's: with modulus and exponent the
 * public operation, by CRT the private one.
 */
export interface RsaReport {
  readonly bits: number;
  readonly operations: readonly RsaOperationReport[];
}

export interface RsaOperationReport {
  readonly kind: "modulus and exponent" | "CRT";
  readonly operations: number;
  readonly seconds: number;
  readonly perSecond: number;
  /** How many each queue did. */
  readonly queues: Readonly<Record<string, number>>;
  /** How often one was sent again since a queue failed. */
  readonly retries: number;
}

export const rsaBits = [1024, 2048, 4096] as const;

/** Fewer than what a control socket takes at once. */
const operationsAtOnce = 32;
const mostPairs = 64;

export async function runRsa(client: CryptoClient, bits: number, operations: number, nowMs: () => number): Promise<RsaReport> {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: bits });
  const { n = "", e = "", p = "", q = "", dp = "", dq = "", qi = "" } = privateKey.export({ format: "jwk" });
  const encrypt = (value: Buffer): Buffer => publicEncrypt({ key: publicKey, padding: constants.RSA_NO_PADDING }, value);
  const pairs = Array.from({ length: Math.min(operations, mostPairs) }, () => {
    const value = randomBytes(bits / 8);
    // Below the modulus, whose first bit is 1.
    value[0] = value[0]! & 0x7f;
    return { clear: value.toString("hex"), encrypted: encrypt(value).toString("hex") };
  });
  const pair = (index: number) => pairs[index % pairs.length]!;
  const publicNumbers = { exponent: hex(e), modulus: hex(n) };
  const privateNumbers = { p: hex(p), q: hex(q), dp: hex(dp), dq: hex(dq), u: hex(qi) };
  const power = await measure("modulus and exponent", operations, nowMs, async (index) => {
    const { clear, encrypted } = pair(index);
    return { answer: await client.rsa("power", { input: clear, ...publicNumbers }), expected: encrypted };
  });
  const crt = await measure("CRT", operations, nowMs, async (index) => {
    const { clear, encrypted } = pair(index);
    return { answer: await client.rsa("crt", { input: encrypted, ...privateNumbers }), expected: clear };
  });
  return { bits, operations: [power, crt] };
}

const hex = (part: string): string => Buffer.from(part, "base64url").toString("hex");

interface Exchange {
  readonly answer: Awaited<ReturnType<CryptoClient["rsa"]>>;
  readonly expected: string;
}

async function measure(
  kind: RsaOperationReport["kind"],
  operations: number,
  nowMs: () => number,
  exchange: (index: number) => Promise<Exchange>,
): Promise<RsaOperationReport> {
  const queues = new Map<string, number>();
  let retries = 0;
  const startMs = nowMs();
  await inFlight(operations, operationsAtOnce, async (index) => {
    const { answer, expected } = await exchange(index);
    const queue = answer.queue ?? "?";
    if (answer.output !== expected) throw new Refusal(`queue ${queue} gave another result than OpenSSL for RSA with ${kind}`);
    queues.set(queue, (queues.get(queue) ?? 0) + 1);
    retries += answer.retries;
  });
  const seconds = (nowMs() - startMs) / 1000;
  const sorted = Object.fromEntries([...queues].sort(([left], [right]) => (left < right ? -1 : 1)));
  return { kind, operations, seconds, perSecond: operations / seconds, queues: sorted, retries };
}

export function rsaLines({ bits, operations }: RsaReport): string[] {
  return [
    `RSA with ${bits} bits; each result is OpenSSL's`,
    ...operations.map(({ kind, operations: count, perSecond, queues, retries }) => {
      const shares = Object.entries(queues).map(([queue, share]) => `${queue} ${share}`);
      return `${kind}: ${count} operations, ${Math.round(perSecond)} a second, by ${shares.join(", ")}${retries > 0 ? `; ${retries} sent again` : ""}`;
    }),
  ];
}
