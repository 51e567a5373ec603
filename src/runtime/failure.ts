import { Errno, type ErrnoName, errnoNumbers } from "../sysfs/errno.ts";

/** An error on its way between threads: a clone of an Error would lose its class and code. */
export interface Failure {
  readonly name: string;
  readonly message: string;
  readonly code: string | undefined;
  readonly stack: string | undefined;
}

export function toFailure(error: unknown): Failure {
  if (!(error instanceof Error)) return { name: "Error", message: String(error), code: undefined, stack: undefined };
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
  return { name: error.name, message: error.message, code, stack: error.stack };
}

/** The error again: an Errno if it was one, else an Error with the name, code and stack of the first. */
export function fromFailure({ name, message, code, stack }: Failure): Error {
  if (name === "Errno" && code !== undefined && code in errnoNumbers) return new Errno(code as ErrnoName);
  const error = new Error(message);
  error.name = name;
  if (stack !== undefined) error.stack = stack;
  return code === undefined ? error : Object.assign(error, { code });
}
