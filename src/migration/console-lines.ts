import type { SendOutcome } from "./send-guest.ts";

/** The lines that `virsh migrate` prints when a guest stays. Source: the document's chapter on live guest migration; libvirt 11.3. */
export const mdevNotFound = (uuid: string): string => `error: device not found: mediated device '${uuid}' not found`;

export const notStarted = (guest: string, why: string): string =>
  `error: internal error: QEMU unexpectedly closed the monitor (vm='${guest}'): ${why}`;

type Failure = Extract<SendOutcome, { readonly isSent: false }>;

/** `arrivalProblem`: what the destination's QEMU says; undefined: nothing. */
export function notMoved({ step, problem }: Failure, arrivalProblem: string | undefined): string {
  if (step === "command") return `error: internal error: unable to execute QEMU command 'migrate': ${problem}`;
  if (step === "cancelled") return `error: operation aborted: job 'migration out' ${problem}`;
  const source = `error: operation failed: migration failed. Message from the source host: operation failed: job 'migration out' failed: ${problem}`;
  if (arrivalProblem === undefined) return source;
  return `${source}. Message from the destination host: operation failed: job 'migration in' failed: ${arrivalProblem}`;
}
