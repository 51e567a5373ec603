import type { Emulator } from "../../emulator.ts";
import type { MonitorState } from "../monitor-state.ts";
import {
  type Members,
  type ObjectType,
  object,
  type SchemaType,
  type UnionType,
  type ValueOf,
  type ValuesOf,
} from "../schema/schema-type.ts";

/** A command of QMP with the types that check its arguments and that query-qmp-schema tells. */
export interface QmpCommand {
  readonly arguments: ObjectType | UnionType;
  readonly returns: SchemaType;
  readonly features: readonly string[];
  /** May be given with exec-oob: runs at once, beside what runs. */
  readonly allowsOob: boolean;
  /** Plain values of the types above. QemuError. Undefined stands for an empty object. */
  readonly run: (context: QmpContext, values: never) => unknown;
}

/** What a command acts on. */
export interface QmpContext {
  readonly emulator: Emulator;
  /** Shared by all monitors of the emulator. */
  readonly state: MonitorState;
}

export const emptyObject = object({});

export function command<A extends Members | UnionType = Members>(definition: {
  readonly arguments?: A;
  readonly returns?: SchemaType;
  readonly features?: readonly string[];
  readonly allowsOob?: boolean;
  /** The schema only tells; the command looks at its arguments itself. */
  readonly isUnchecked?: boolean;
  readonly run: (context: QmpContext, values: ArgumentsOf<A>) => unknown;
}): QmpCommand {
  return {
    arguments: argumentsType(definition.arguments, definition.isUnchecked ?? false),
    returns: definition.returns ?? emptyObject,
    features: definition.features ?? [],
    allowsOob: definition.allowsOob ?? false,
    run: definition.run,
  };
}

type ArgumentsOf<A> = A extends UnionType ? ValueOf<A> : ValuesOf<A>;

function argumentsType(given: Members | UnionType | undefined, isUnchecked: boolean): ObjectType | UnionType {
  if (!given) return emptyObject;
  if (isUnion(given)) return given;
  return { ...object(given), ...(isUnchecked && { isOpen: true }) };
}

const isUnion = (given: Members | UnionType): given is UnionType => given.kind === "union";
