import type { AdapterRequest } from "../processor.ts";
import type { ParameterReader } from "./parameter-reader.ts";
import type { WrappingKeys } from "./wrapping-keys.ts";

/** What a function knows beside its parameters. */
export interface Ep11Context {
  readonly request: AdapterRequest;
  readonly keys: WrappingKeys;
  /** What the caller says it speaks; not above the adapter's. */
  readonly apiOrdinal: number;
  /** 16 characters. */
  readonly serialNumber: string;
}

/** One function of an EP11 coprocessor: what follows the return value of success. Whatever else it ends with, it refuses. */
export type Ep11Function = (parameters: ParameterReader, context: Ep11Context) => readonly Uint8Array[];
