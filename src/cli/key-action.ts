import { MasterKeyKinds, masterKeyTypes } from "../machine/secrets/master-key.ts";
import { UsageError } from "./command.ts";
import type { HwRequest } from "./hw-action.ts";
import { numberWord } from "./number-word.ts";

export interface KeyOptions {
  readonly parts: readonly string[];
  readonly hasMore: boolean;
  readonly isSet: boolean;
}

const forms = {
  show: { least: 0, most: 2, words: "[ADAPTER [DOMAIN]]" },
  "load-test": { least: 0, most: 2, words: "[ADAPTER [DOMAIN]]" },
  load: { least: 3, most: 3, words: `ADAPTER DOMAIN ${MasterKeyKinds.join("|")} [--part HEX]... [--more | --set]` },
  clear: { least: 3, most: 3, words: `ADAPTER DOMAIN ${MasterKeyKinds.join("|")}` },
  commit: { least: 3, most: 3, words: "ADAPTER DOMAIN ep11" },
  set: { least: 3, most: 3, words: `ADAPTER DOMAIN ${MasterKeyKinds.join("|")}` },
  zeroize: { least: 2, most: 2, words: "ADAPTER DOMAIN" },
} as const;

/** The words after `adjunct hw HOST key` as a request of the control socket. */
export function keyRequest(words: readonly string[], options: KeyOptions): HwRequest {
  const [action = "", ...values] = words;
  if (!isAction(action)) throw new UsageError(`key ${action} is no action: ${Object.keys(forms).join(", ")}`.replace("  ", " "));
  const { least, most, words: wanted } = forms[action];
  if (values.length < least || values.length > most) throw new UsageError(`expected: hw HOST key ${action} ${wanted}`);
  if (action !== "load" && (options.parts.length > 0 || options.hasMore || options.isSet)) {
    throw new UsageError(`only key load takes --part, --more and --set, not key ${action}`);
  }
  const [adapter, domain, kind] = values;
  return {
    ...{ do: "key", action },
    ...(adapter !== undefined && { adapter: numberWord(adapter, 0, 255, "an adapter number") }),
    ...(domain !== undefined && { domain: numberWord(domain, 0, 255, "a domain number") }),
    ...(kind !== undefined && { kind: kindWord(kind) }),
    ...(action === "load" && loadParameters(kindWord(kind ?? ""), options)),
  };
}

function loadParameters(kind: ReturnType<typeof kindWord>, { parts, hasMore, isSet }: KeyOptions) {
  if (hasMore && isSet) throw new UsageError("a key with more parts to come cannot be set: --more or --set");
  if (hasMore && parts.length === 0) throw new UsageError("--more needs a --part");
  const digits = 2 * masterKeyTypes[kind].bytes;
  const wrong = parts.findIndex((part) => !/^[0-9a-f]*$/i.test(part) || part.length !== digits);
  // The part itself is a secret: it is not repeated.
  if (wrong >= 0) throw new UsageError(`a part of the ${kind} key is ${digits} hex digits; part ${wrong + 1} is not`);
  return { parts, isPartial: hasMore, isSet };
}

function kindWord(text: string) {
  const kind = MasterKeyKinds.find((known) => known === text);
  if (!kind) throw new UsageError(`expected ${MasterKeyKinds.join(", ")}, got ${text}`);
  return kind;
}

const isAction = (text: string): text is keyof typeof forms => Object.hasOwn(forms, text);
