import { Refusal } from "../control-protocol.ts";
import { firstComplaint } from "./private-apt.ts";

/** Why a suite has no such package for s390x; throws when the mirror is not reached, since then no suite has. `retry`: the command to type again. */
export function absentPackage(name: string, { suite, complaints, retry, remedy }: Absence): string {
  if (unreachable.test(complaints)) {
    throw new Refusal(
      `the package lists of ${suite} cannot be fetched, the mirror is not reached: ${firstComplaint(complaints)}; check the network and apt's proxy, then ${retry}`,
    );
  }
  if (complaints.trim() !== "") return `the package lists of ${suite} cannot be fetched: ${firstComplaint(complaints)}`;
  return `${suite} has no ${name} for s390x: ${remedy}`;
}

interface Absence {
  readonly suite: string;
  /** Apt's, when it fetched the lists. */
  readonly complaints: string;
  readonly retry: string;
  readonly remedy: string;
}

const unreachable = /Could not resolve|Temporary failure|Could not connect|Cannot initiate|Network is unreachable|timed out/;
