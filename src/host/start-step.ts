import { Errno, type ErrnoName } from "../sysfs/errno.ts";
import { errnoText } from "../sysfs/errno-text.ts";

/** What a step of a host's start ends with: StartRefused, which names it, if the kernel refused it, else the error itself. */
export function refusedStep(what: string, error: unknown): unknown {
  return error instanceof Errno ? new StartRefused(what, error.code) : error;
}

/** Does one step that cannot sleep. */
export function startStep(what: string, act: () => void): void {
  try {
    act();
  } catch (error) {
    throw refusedStep(what, error);
  }
}

/** What the host's Linux refused of its configuration; `code` is the errno's name. */
class StartRefused extends Error {
  constructor(
    what: string,
    readonly code: ErrnoName,
  ) {
    const remedy = remedies[code];
    super(`could not ${what}: ${errnoText(code)} (${code})${remedy === undefined ? "" : `; ${remedy}`}`);
    this.name = "StartRefused";
  }
}

const remedies: Partial<Record<ErrnoName, string>> = {
  EADDRNOTAVAIL: 'the host\'s own drivers own a queue of it: give it away in the file, such as apmask: "-5" or aqmask: "-0x47"',
  EADDRINUSE: "another mediated device of the file has a queue of it",
};
