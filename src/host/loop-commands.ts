import * as v from "valibot";
import type { ModelGuest } from "../guest/model/model-guest.ts";
import { type LoopKey, loopKey, type SavedLoop } from "../guest/model/saved-guest.ts";
import { errnoText } from "../sysfs/errno-text.ts";
import { absentGuest } from "./absent-guest.ts";
import { Refusal } from "./control-protocol.ts";
import type { Guest, Host } from "./host.ts";

/** The loop of signatures that runs in a model guest, whoever asked for it. */
const target = { do: v.literal("loop"), guest: v.string() };

export const loopCommand = v.variant("action", [
  v.object({ ...target, action: v.literal("start"), key: loopKey }),
  v.object({ ...target, action: v.picklist(["show", "stop"]) }),
]);

export interface LoopReport {
  readonly state: SavedLoop["state"];
  readonly bits: number;
  readonly signatures: number;
  readonly wrong: number;
  /** Requests that a card did not do and another one or the same was sent again. */
  readonly sentAgain: number;
  /** What a failed one ended with. */
  readonly error: string | null;
  /** Seconds of the guest's clock when it began, and now. */
  readonly startedAt: number;
  readonly now: number;
  readonly bootId: string;
}

export function runLoopCommand(host: Host, command: v.InferOutput<typeof loopCommand>): LoopReport {
  const { guests } = host;
  const guest = guests.get(command.guest);
  if (!guest) throw absentGuest(command.guest, guests.keys());
  const { model } = guest;
  if (!model) throw new Refusal(`guest ${guest.name} runs a Linux of its own: its programs use its cards`);
  switch (command.action) {
    case "start":
      start(guest, model, command.key);
      break;
    case "stop":
      if (!model.isRunning) throw paused(guest);
      model.loop?.stop();
      break;
  }
  return reportOf(guest, model);
}

function start(guest: Guest, model: ModelGuest, key: LoopKey): void {
  if (!model.isRunning) throw paused(guest);
  if (model.loop?.isRunning) throw new Refusal(`guest ${guest.name} has a loop already: --show shows it, --stop ends it`);
  model.startLoop(key);
}

function reportOf({ name }: Guest, { loop, linux, bootId }: ModelGuest): LoopReport {
  if (!loop || !linux || bootId === undefined)
    throw new Refusal(`guest ${name} has no loop: adjunct crypto HOST --guest ${name} loop starts one`);
  const { state, key, signatures, wrong, sentAgain, error, startedAtMs } = loop.saved();
  return {
    state,
    bits: 4 * key.n.length,
    signatures,
    wrong,
    sentAgain,
    error: error === null ? null : `${errnoText(error) ?? error} (${error})`,
    startedAt: startedAtMs / 1000,
    now: linux.timers.nowMs / 1000,
    bootId,
  };
}

const paused = ({ name }: Guest): Refusal => new Refusal(`guest ${name} is paused: its programs run when it does`);
