import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Mask } from "../ap/mask.ts";
import { parseMask } from "../linux/text/mask-text.ts";

/**
 * What a host's own /etc/udev/rules.d/41-ap.rules asks for, as `chzdev --type ap` writes it: masks and modules for when the first scan is done.
 * No udev runs there, so the host does it. Source: s390-tools, zdev/src/ap.c.
 */
export interface ApRules {
  readonly apmask?: string;
  readonly aqmask?: string;
  readonly modules: readonly string[];
}

const noRules: ApRules = { modules: [] };

/** `complain` hears what cannot be done, and why. */
export function readApRules(etc: string, complain: (text: string) => void): ApRules {
  const path = join(etc, "udev/rules.d/41-ap.rules");
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== "ENOENT") complain(`${path}: ${message}`);
    return noRules;
  }
  const mask = (name: "apmask" | "aqmask"): Partial<Record<typeof name, string>> => {
    const value = new RegExp(`ATTR\\{[^}]*\\b${name}\\}\\s*=\\s*"([^"]*)"`).exec(text)?.[1];
    if (value === undefined) return {};
    if (isMask(value)) return { [name]: value };
    complain(`${path}: ${name} is no mask: ${value}`);
    return {};
  };
  const modules = [...text.matchAll(/RUN\{builtin\}\s*\+?=\s*"kmod load ([^"]+)"/g)].flatMap(([, words = ""]) => words.split(/\s+/));
  return { ...mask("apmask"), ...mask("aqmask"), modules };
}

const isMask = (text: string): boolean => {
  try {
    parseMask(text, Mask.none);
    return true;
  } catch {
    return false;
  }
};
