import { QemuError } from "../qemu-error.ts";

/** A refusal after which others were already told. */
export class LaterError extends QemuError {
  constructor(
    message: string,
    hint: string | undefined,
    readonly earlier: readonly string[],
  ) {
    super(message, "GenericError", hint);
  }
}

/** A refusal with the place that QEMU names: `-device vfio-ap: …`. `earlier` are messages that come before it. */
export class LocatedError extends LaterError {
  constructor(place: string, problem: string, hint?: string, earlier: readonly string[] = []) {
    super(`${place}: ${problem}`, hint, earlier);
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

/** The same error with messages before it. */
export function afterLines(earlier: readonly string[], error: unknown): unknown {
  if (!(error instanceof QemuError) || earlier.length === 0) return error;
  return new LaterError(error.message, error.hint, [...earlier, ...(error instanceof LaterError ? error.earlier : [])]);
}
