import { type AdapterClass, adapterClasses, describedProfile } from "../host/adapter-description.ts";
import { UsageError } from "./command.ts";
import { type KeyOptions, keyRequest } from "./key-action.ts";
import { numberWord } from "./number-word.ts";

/** The words after `adjunct hw HOST` as a request of the control socket. */
export type HwRequest = Readonly<Record<string, unknown>> & { readonly do: "hw" | "key"; readonly action: string };

const forms = {
  "card add": ["id"],
  "card remove": ["id"],
  "card configure": ["id"],
  "card deconfigure": ["id"],
  "card checkstop": ["id", "on"],
  "usage-domain add": ["id"],
  "usage-domain remove": ["id"],
  "control-domain add": ["id"],
  "control-domain remove": ["id"],
  show: [],
} as const satisfies Record<string, readonly ("id" | "on")[]>;

export type HwAction = keyof typeof forms;

export interface CardOptions {
  readonly type?: string | undefined;
  readonly functions?: string | undefined;
  readonly class?: string | undefined;
  readonly filtering?: string | undefined;
  readonly depth?: string | undefined;
  readonly messageLimit?: string | undefined;
  readonly maxDomain?: string | undefined;
}

export function hwRequest(words: readonly string[], card: CardOptions, key: KeyOptions): HwRequest {
  if (words[0] === "key") {
    if (Object.values(card).some((value) => value !== undefined)) throw new UsageError("only card add takes --type and such, not key");
    return keyRequest(words.slice(1), key);
  }
  if (key.parts.length > 0 || key.hasMore || key.isSet) throw new UsageError("only key load takes --part, --more and --set");
  const length = words[0] === "show" ? 1 : 2;
  const action = words.slice(0, length).join(" ");
  if (!isAction(action)) throw new UsageError(`${words.join(" ")} is no hardware action: ${Object.keys(forms).join(", ")}, key …`);
  const parameters: readonly ("id" | "on")[] = forms[action];
  const values = words.slice(length);
  if (values.length !== parameters.length) {
    const wanted = parameters.map((parameter) => (parameter === "id" ? "NUMBER" : "on|off")).join(" ");
    throw new UsageError(`expected: hw HOST ${action}${wanted ? ` ${wanted}` : ""}`);
  }
  const request: Record<string, unknown> = {};
  for (const [index, parameter] of parameters.entries()) {
    const value = values[index] ?? "";
    request[parameter] = parameter === "id" ? numberWord(value, 0, 255, "a number") : onWord(value);
  }
  if (action === "card add") request.profile = profileOf(card);
  else if (Object.values(card).some((value) => value !== undefined))
    throw new UsageError(`only card add takes --type and such, not ${action}`);
  return { do: "hw", action, ...request };
}

function profileOf(card: CardOptions) {
  if (card.type === undefined) throw new UsageError("card add needs --type, such as --type CEX7C");
  if (card.class !== undefined && !(adapterClasses as readonly string[]).includes(card.class)) {
    throw new UsageError(`--class is one of ${adapterClasses.join(", ")}, not ${card.class}`);
  }
  const optional = (text: string | undefined, first: number, last: number, what: string): number | undefined =>
    text === undefined ? undefined : numberWord(text, first, last, what);
  const profile = describedProfile({
    type: card.type,
    functions: optional(card.functions, 0, 0xffffffff, "--functions"),
    class: card.class as AdapterClass | undefined,
    filtering: card.filtering === undefined ? undefined : onWord(card.filtering),
    depth: optional(card.depth, 1, 16, "--depth"),
    messageLimit: optional(card.messageLimit, 0, 15, "--message-limit"),
    maxDomain: optional(card.maxDomain, 0, 255, "--max-domain"),
  });
  if (!profile) throw new UsageError(`--type is a card such as CEX7C, CEX8A or CEX5P, not ${card.type}`);
  return profile;
}

function onWord(text: string): boolean {
  if (text === "on") return true;
  if (text === "off") return false;
  throw new UsageError(`expected on or off, got ${text}`);
}

const isAction = (text: string): text is HwAction => Object.hasOwn(forms, text);
