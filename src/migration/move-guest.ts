import * as v from "valibot";
import { migrationLogLine } from "../qemu/guest-log.ts";
import { checkMigration } from "./check-migration.ts";
import { mdevNotFound, notMoved, notStarted } from "./console-lines.ts";
import type { Finding } from "./finding.ts";
import { type MigrationInfo, parseMigrationInfo, type SendOutcome } from "./send-guest.ts";
import { type FactsQuestion, type MatrixQuestion, parseSideFacts, questionFor, type SideFacts } from "./side-facts.ts";

/**
 * Moves a guest as an administrator would: looks at both sides, holds them, makes the destination ready, sends the guest, and clears up. What
 * fails leaves the guest where it was and the destination as it was. Each host clears up by itself what it made ready when this connection
 * ends, so that the end of this process does not matter either.
 */
export interface MovingHost {
  readonly name: string;
  /** A command of the host. An Error that says why not, with a `code`. */
  ask(command: Readonly<Record<string, unknown>> & { readonly do: string }): Promise<unknown>;
}

export interface MoveOptions {
  readonly guest: string;
  /** A mediated device that the destination lacks is made. */
  readonly createsMdev: boolean;
  /** Masks, matrices and master keys stay as they are meanwhile. */
  readonly isHeld: boolean;
  readonly nowMs: () => number;
  /** Resolves when it is worth to look again. */
  readonly pause: () => Promise<void>;
  readonly onFindings: (findings: readonly Finding[]) => void;
  readonly onProgress: (info: MigrationInfo) => void;
  /** Gives up: the guest stays, unless it is gone already. */
  readonly signal?: AbortSignal;
}

export type MoveResult =
  | { readonly isMoved: true; readonly info: MigrationInfo; readonly totalMs: number }
  /** `line`: what a console shows. */
  | { readonly isMoved: false; readonly line: string };

/** It is not begun: why, and what to do. */
export class MoveRefused extends Error {}

export async function moveGuest(source: MovingHost, target: MovingHost, options: MoveOptions): Promise<MoveResult> {
  const before = await factsOf(source, { of: "guest", name: options.guest });
  const question = questionFor(before);
  const holds = options.isHeld ? await hold([source, target], question) : [];
  try {
    const here = await factsOf(source, { of: "guest", name: options.guest });
    if (JSON.stringify(questionFor(here)) !== JSON.stringify(question)) {
      throw new MoveRefused(`the configuration of ${options.guest} changed just now: try again`);
    }
    const there = await factsOf(target, question);
    const findings = checkMigration(here, there, { createsMdev: options.createsMdev });
    options.onFindings(findings);
    const load = findings.find(({ rule }) => rule === "key-load");
    if (load) throw new MoveRefused(`a master key of ${load.subject} is being loaded: ${load.remedy}`);
    return await move({ source, target }, here, there, options);
  } finally {
    for (const release of holds) await release().catch(() => {});
  }
}

interface Hosts {
  readonly source: MovingHost;
  readonly target: MovingHost;
}

const factsOf = async ({ ask }: MovingHost, about: FactsQuestion): Promise<SideFacts> =>
  parseSideFacts(await ask({ do: "migration-facts", about }));

async function hold(hosts: readonly MovingHost[], about: MatrixQuestion): Promise<(() => Promise<unknown>)[]> {
  const releases: (() => Promise<unknown>)[] = [];
  try {
    for (const { ask } of hosts) {
      const taken = await ask({ do: "migration-hold", action: "take", about });
      releases.push(() => ask({ do: "migration-hold", action: "release", hold: taken }));
    }
  } catch (error) {
    for (const release of releases) await release().catch(() => {});
    throw error;
  }
  return releases;
}

async function move({ source, target }: Hosts, here: SideFacts, there: SideFacts, options: MoveOptions): Promise<MoveResult> {
  const { guest, nowMs } = options;
  const startedMs = nowMs();
  const log = (line: string): Promise<unknown> => source.ask({ do: "guest-log", guest, line });
  const origin = await source.ask({ do: "guest-move", action: "origin", guest });
  const uuid = here.mdev?.uuid ?? null;
  if (uuid !== null && !there.mdev && !options.createsMdev) {
    await log(migrationLogLine(nowMs()));
    await log("qemu-system-s390x: Sibling indicated error 1");
    return { isMoved: false, line: mdevNotFound(uuid) };
  }
  let uri: unknown;
  try {
    const facilities = here.guest?.facilities;
    uri = await target.ask({ do: "guest-move", action: "receive", guest, origin, facilities, uuid, createsMdev: options.createsMdev });
  } catch (error) {
    return { isMoved: false, line: notStarted(guest, (error as Error).message) };
  }
  const outcome = options.signal?.aborted ? givenUp : await sent(source, String(uri), options);
  if (outcome.isSent) return { isMoved: true, info: outcome.info, totalMs: nowMs() - startedMs };
  const problem = await arrivalProblem(target, options);
  await target.ask({ do: "guest-move", action: "abandon", guest });
  return { isMoved: false, line: notMoved(outcome, problem) };
}

const givenUp: SendOutcome = { isSent: false, step: "cancelled", problem: "canceled by client" };

/** Sends it, telling how it goes. */
async function sent(source: MovingHost, uri: string, { guest, pause, onProgress, signal }: MoveOptions): Promise<SendOutcome> {
  const ask = (action: string): Promise<unknown> => source.ask({ do: "guest-move", action, guest });
  const sending = source.ask({ do: "guest-move", action: "send", guest, uri });
  let isOver = false;
  const over = sending.finally(() => {
    isOver = true;
  });
  const cancel = (): void => void ask("cancel").catch(() => {});
  signal?.addEventListener("abort", cancel, { once: true });
  try {
    while (!isOver) {
      await Promise.race([over.catch(() => {}), pause()]);
      // The guest may be gone in this moment, and its monitor with it.
      const info = isOver ? undefined : await ask("progress").catch(() => undefined);
      if (info !== undefined) onProgress(parseMigrationInfo(info));
    }
    return v.parse(sendOutcome, await over);
  } finally {
    signal?.removeEventListener("abort", cancel);
  }
}

const sendOutcome = v.variant("isSent", [
  v.object({ isSent: v.literal(true), info: v.custom<MigrationInfo>((value) => typeof value === "object" && value !== null) }),
  v.object({ isSent: v.literal(false), step: v.picklist(["command", "job", "cancelled"]), problem: v.string() }),
]);

/** The destination says why a moment after the source heard that. */
const maxLooks = 20;
const arrival = v.object({ hasArrived: v.boolean(), info: v.looseObject({ status: v.string(), "error-desc": v.optional(v.string()) }) });

async function arrivalProblem(target: MovingHost, { guest, pause }: MoveOptions): Promise<string | undefined> {
  for (let look = 0; look < maxLooks; look++) {
    const { info } = v.parse(arrival, await target.ask({ do: "guest-move", action: "arrival", guest }));
    if (info["error-desc"] !== undefined) return info["error-desc"];
    if (info.status === "failed" || info.status === "completed" || info.status === "none" || info.status === "setup") return undefined;
    await pause();
  }
  return undefined;
}
