import type { Memory } from "../../../ap/platform.ts";

/** What is looked through at once. */
const stepBytes = 2 ** 20;
/** Further down nothing is looked for: a guest that does not use the end of its memory. */
const maxReachBytes = 32 * 2 ** 20;
const pageBytes = 4096;
const zeros = Buffer.alloc(pageBytes);

/** How far before the end of memory begins what has so many bytes of pages that are not all zeros; Infinity where it would be far. */
export function reachOfContent(memory: Memory & { readonly size: number }, contentBytes: number): number {
  let found = 0;
  for (let end = memory.size; end > Math.max(0, memory.size - maxReachBytes); end -= stepBytes) {
    const start = Math.max(0, end - stepBytes);
    const bytes = memory.read(start, end - start);
    for (let at = bytes.length - pageBytes; at >= 0; at -= pageBytes) {
      if (zeros.compare(bytes, at, at + pageBytes) === 0) continue;
      found += pageBytes;
      if (found >= contentBytes) return memory.size - (start + at);
    }
  }
  return Number.POSITIVE_INFINITY;
}
