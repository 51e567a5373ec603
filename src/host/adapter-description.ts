import { Functions } from "../ap/queue-info.ts";
import { type AdapterProfile, adapterProfileByName } from "../machine/adapter-profile.ts";

/** An adapter as people write it: a card type and what differs from it. */
export interface AdapterDescription {
  /** Such as CEX5C. */
  readonly type: string;
  /** The type byte that TAPQ reports, where it is not the card type's. */
  readonly rawType?: number | undefined;
  /** The whole functions word (bits 0-31 of the TAPQ answer); `class` and `filtering` act on top of it. */
  readonly functions?: number | undefined;
  readonly class?: AdapterClass | undefined;
  /** The stateless command filtering bit. */
  readonly filtering?: boolean | undefined;
  readonly depth?: number | undefined;
  /** In units of 4 KiB; 0 stands for 12 KiB. */
  readonly messageLimit?: number | undefined;
  readonly maxDomain?: number | undefined;
}

const classBits = { full: Functions.classFull, restricted: Functions.classStateless, none: 0 } as const;
export type AdapterClass = keyof typeof classBits;
export const adapterClasses = Object.keys(classBits) as AdapterClass[];

const allClassBits = Functions.classFull | Functions.classStateless;

/** The profile that a description stands for; undefined when there is no card of that type. */
export function describedProfile(description: AdapterDescription): AdapterProfile | undefined {
  const profile = adapterProfileByName(description.type);
  if (!profile) return undefined;
  let functions = description.functions ?? profile.functions;
  if (description.class) functions = (functions & ~allClassBits) | classBits[description.class];
  if (description.filtering !== undefined) functions = description.filtering ? functions | Functions.slcf : functions & ~Functions.slcf;
  return {
    type: description.rawType ?? profile.type,
    mode: profile.mode,
    functions: functions >>> 0,
    depth: description.depth ?? profile.depth,
    messageLimit: description.messageLimit ?? profile.messageLimit,
    maxDomain: description.maxDomain ?? profile.maxDomain,
  };
}
