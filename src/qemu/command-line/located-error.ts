import { QemuError } from "../qemu-error.ts";

/** A refusal with the place that QEMU names: `-device vfio-ap: …`. `earlier` are lines that come before it. */
export class LocatedError extends QemuError {
  constructor(
    place: string,
    problem: string,
    hint?: string,
    readonly earlier: readonly string[] = [],
  ) {
    super(`${place}: ${problem}`, "GenericError", hint);
  }
}

/** Runs something and gives a QemuError of it the place. */
export function located<T>(place: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw atPlace(place, error);
  }
}

export function atPlace(place: string, error: unknown): unknown {
  if (!(error instanceof QemuError) || error instanceof LocatedError) return error;
  return new LocatedError(place, error.message, error.hint);
}
