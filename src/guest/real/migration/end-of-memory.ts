import type { GuestMemory } from "../guest-memory.ts";

/** What is looked through at once, each time in the same place: 32 MiB of garbage less, shortly before the guest stands. */
const step = Buffer.alloc(2 ** 18);
/** Further down nothing is looked for: a guest that does not use the end of its memory. */
const maxReachBytes = 32 * 2 ** 20;
const pageBytes = 4096;
const zeros = Buffer.alloc(pageBytes);

/** How far before the end of memory begins what has so many bytes of pages that are not all zeros; Infinity where it would be far. */
export function reachOfContent(memory: Pick<GuestMemory, "fill" | "size">, contentBytes: number): number {
  let found = 0;
  for (let end = memory.size; end > Math.max(0, memory.size - maxReachBytes); end -= step.length) {
    const start = Math.max(0, end - step.length);
    const bytes = step.subarray(0, end - start);
    memory.fill(bytes, start);
    for (let at = bytes.length - pageBytes; at >= 0; at -= pageBytes) {
      if (zeros.compare(bytes, at, at + pageBytes) === 0) continue;
      found += pageBytes;
      if (found >= contentBytes) return memory.size - (start + at);
    }
  }
  return Number.POSITIVE_INFINITY;
}
