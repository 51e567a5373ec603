import * as v from "valibot";
import { type GuestMonitor, type MonitorCommand, monitorCommands } from "../migration/guest-monitor.ts";
import type { GuestOrigin } from "../migration/guest-origin.ts";
import { QemuError } from "../qemu/qemu-error.ts";
import type { ModelEvent } from "../runtime/model.ts";
import { guestName } from "./guest-name.ts";

/**
 * Guests whose emulators are processes of their own: how each was started, and its monitor by way of the host's events: a question is an event
 * that its front alone takes, the answer a command.
 */
const text = v.pipe(v.string(), v.maxLength(4096));

export const frontCommand = v.variant("action", [
  v.object({ do: v.literal("front"), action: v.literal("started"), guest: guestName, words: v.pipe(v.array(text), v.maxLength(512)) }),
  v.object({
    do: v.literal("front"),
    action: v.literal("answer"),
    guest: guestName,
    question: v.number(),
    result: v.optional(v.unknown()),
    problem: v.optional(text),
  }),
]);

/** What a front hears. */
export const hostQuestion = v.object({
  type: v.literal("guest"),
  event: v.literal("asked"),
  guest: v.string(),
  question: v.number(),
  execute: v.picklist(monitorCommands),
  values: v.record(v.string(), v.unknown()),
});

interface Front {
  readonly words: readonly string[];
  readonly ended: Promise<void>;
  readonly end: () => void;
}

interface Pending {
  readonly guest: string;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

export class FrontGuests {
  readonly #fronts = new Map<string, Front>();
  readonly #pending = new Map<number, Pending>();
  #nextQuestion = 1;

  constructor(private readonly publish: (event: ModelEvent) => void) {}

  /** A front's word. */
  answer(request: unknown): void {
    const command = v.parse(frontCommand, request);
    if (command.action === "started") this.#add(command.guest, command.words);
    else this.#answered(command);
  }

  /** An event of the host: with a guest its front goes. */
  take(event: ModelEvent): void {
    if (event.type !== "guest" || event.event !== "destroyed") return;
    const guest = String(event.guest);
    for (const [question, { guest: asked, reject }] of this.#pending) {
      if (asked !== guest) continue;
      this.#pending.delete(question);
      reject(hasEnded());
    }
    this.#fronts.get(guest)?.end();
    this.#fronts.delete(guest);
  }

  /** Undefined: no front has this guest. */
  origin(guest: string): GuestOrigin | undefined {
    const front = this.#fronts.get(guest);
    return front && { by: "front", name: guest, words: [...front.words] };
  }

  monitor(guest: string): (GuestMonitor & { readonly ended: Promise<void> }) | undefined {
    const front = this.#fronts.get(guest);
    return front && { ended: front.ended, execute: (command, values = {}) => this.#ask(guest, command, values) };
  }

  #add(guest: string, words: readonly string[]): void {
    const { promise, resolve } = withResolver();
    this.#fronts.set(guest, { words, ended: promise, end: resolve });
  }

  #ask(guest: string, execute: MonitorCommand, values: object): Promise<unknown> {
    if (!this.#fronts.has(guest)) return Promise.reject(hasEnded());
    const question = this.#nextQuestion++;
    return new Promise((resolve, reject) => {
      this.#pending.set(question, { guest, resolve, reject });
      this.publish({ type: "guest", guest, event: "asked", question, execute, values });
    });
  }

  #answered({
    question,
    guest,
    result,
    problem,
  }: {
    readonly question: number;
    readonly guest: string;
    readonly result?: unknown;
    readonly problem?: string | undefined;
  }): void {
    const pending = this.#pending.get(question);
    if (pending?.guest !== guest) return;
    this.#pending.delete(question);
    if (problem === undefined) pending.resolve(result);
    else pending.reject(new QemuError(problem));
  }
}

const hasEnded = (): QemuError => new QemuError("the guest has ended");

function withResolver(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
