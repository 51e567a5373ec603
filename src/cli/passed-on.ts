import type { ChildProcess } from "node:child_process";
import { constants } from "node:os";
import { isatty } from "node:tty";

/** Signals that somebody sends to us and means the program. */
const forwarded = ["SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGINT", "SIGQUIT", "SIGWINCH"] as const;
/** On a terminal these reach the program without us: it is in the same process group. */
const fromTerminal: readonly string[] = ["SIGINT", "SIGQUIT", "SIGWINCH"];
/** How long a signal to ourselves may take to end us before we take it for one that does not. */
const signalDeliveryMs = 100;

/**
 * Stands in for a program: passes signals on to it and resolves with its exit status. Where a signal killed it, the same signal kills
 * us, so that whoever waits for us sees the same.
 */
export function passedOn(child: ChildProcess): Promise<number> {
  // Not process.stdin: it would make the input non-blocking under the program, which shares it.
  const hasTerminal = isatty(0);
  const listeners = forwarded.map((signal) => {
    const listener = (): void => void (hasTerminal && fromTerminal.includes(signal) ? undefined : child.kill(signal));
    process.on(signal, listener);
    return { signal, listener };
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (status, signal) => {
      for (const { signal: name, listener } of listeners) process.off(name, listener);
      if (signal === null) resolve(status ?? 1);
      else {
        process.kill(process.pid, signal);
        // A signal that does not end us: the shell's convention instead.
        setTimeout(() => resolve(128 + constants.signals[signal]), signalDeliveryMs);
      }
    });
  });
}
