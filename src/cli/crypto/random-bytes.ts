import type { CryptoClient } from "./crypto-client.ts";

/** `count` random bytes of CCA coprocessors in hexadecimal digits, and the queues that gave them. */
export async function randomBytesOf(client: CryptoClient, count: number): Promise<{ readonly bytes: string; readonly queues: string[] }> {
  let bytes = "";
  const queues = new Set<string>();
  while (bytes.length < 2 * count) {
    const { output, queue } = await client.random();
    if (output === "") break;
    bytes += output;
    queues.add(queue ?? "?");
  }
  return { bytes: bytes.slice(0, 2 * count), queues: [...queues] };
}

const digitsInLine = 64;

export const randomLines = ({ bytes }: { readonly bytes: string }): string[] => bytes.match(new RegExp(`.{1,${digitsInLine}}`, "g")) ?? [];
