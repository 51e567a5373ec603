import { adapterName, domainName } from "../../ap/apqn.ts";
import type { Mask } from "../../ap/mask.ts";

/** sysfs_emit_at stops at a page: 4095 characters, in the middle of a line if need be. */
const maxCharacters = 4095;

/** `05.0004` a line for every pair, adapters outer; `05.` or `.0004` where the other dimension is empty. */
export function matrixText(adapters: Mask, domains: Mask): string {
  if (adapters.isEmpty) return cut(domains, (domain) => `.${domainName(domain)}\n`);
  if (domains.isEmpty) return cut(adapters, (adapter) => `${adapterName(adapter)}.\n`);
  const domainLines = [...domains].map((domain) => `.${domainName(domain)}\n`);
  let text = "";
  for (const adapter of adapters) {
    const name = adapterName(adapter);
    for (const line of domainLines) text += name + line;
    if (text.length > maxCharacters) break;
  }
  return text.slice(0, maxCharacters);
}

const cut = (numbers: Mask, line: (number: number) => string): string => [...numbers].map(line).join("").slice(0, maxCharacters);
