import { Level } from "../../linux/kernel-log.ts";
import type { Linux } from "../../linux/linux.ts";
import type { Job } from "../../linux/time/work-queue.ts";
import { RequestTrack } from "../../linux/zcrypt/request-track.ts";
import { Errno } from "../../sysfs/errno.ts";
import { errnoText } from "../../sysfs/errno-text.ts";
import { Wait } from "../../sysfs/wait.ts";
import { paddedDigest, signatureVerifier } from "./loop-key.ts";
import type { LoopKey, SavedLoop } from "./saved-guest.ts";

/**
 * A program of the guest's own: it signs one message after the other with RSA on the guest's cards and verifies each signature itself. It is
 * part of the guest: it stands while the guest is paused, and goes along when the guest moves; a signature that it waited for is then asked
 * for again.
 */
/** Between two signatures, so that whoever else wants the model's thread has it. */
const restMs = 2;
const reportMs = 1000;

export class CryptoLoop {
  #now: SavedLoop;
  readonly #verify: ReturnType<typeof signatureVerifier>;

  /** As it was saved; it does not run before `run`. */
  constructor(
    private readonly linux: Linux,
    saved: SavedLoop,
  ) {
    this.#now = saved;
    this.#verify = signatureVerifier(saved.key);
  }

  static begin(linux: Linux, key: LoopKey): CryptoLoop {
    const startedAtMs = linux.timers.nowMs;
    const nothing = { signatures: 0, wrong: 0, sentAgain: 0 };
    return new CryptoLoop(linux, { key, state: "running", error: null, startedAtMs, ...nothing, nextReportAtMs: startedAtMs + reportMs });
  }

  get isRunning(): boolean {
    return this.#now.state === "running";
  }

  saved(): SavedLoop {
    return this.#now;
  }

  run(): void {
    if (!this.isRunning) return;
    this.#armReport();
    const result = this.linux.work.run(this.#signAll());
    // What is no errno is a bug and goes where those go.
    if (result instanceof Wait) result.onSettled((outcome) => "error" in outcome && raise(outcome.error));
  }

  stop(): void {
    if (!this.isRunning) return;
    this.#end({ state: "stopped" });
    this.#log(Level.info, `${this.#counts}; stopped`);
  }

  /** Its Linux is gone. */
  abandon(): void {
    if (this.isRunning) this.#end({ state: "stopped" });
  }

  *#signAll(): Job<void> {
    try {
      while (this.isRunning) {
        yield* this.#signOne();
        yield this.#rest();
      }
    } catch (error) {
      if (!(error instanceof Errno)) throw error;
      if (this.isRunning) this.#fail(error);
    }
  }

  *#signOne(): Job<void> {
    const { key, signatures, wrong } = this.#now;
    const { n, e, ...parts } = key;
    const message = Buffer.from(`message ${signatures + wrong}`);
    const input = paddedDigest(message, n.length / 2);
    const track = new RequestTrack();
    const request = Object.fromEntries(Object.entries(parts).map(([name, digits]) => [name, Buffer.from(digits, "hex")]));
    const signature = yield* this.linux.zcrypt.rsa({ input, ...(request as Record<keyof typeof parts, Buffer>) }, { track });
    if (!this.isRunning) return;
    const isRight = this.#verify(message, signature);
    const { sentAgain } = this.#now;
    this.#now = {
      ...this.#now,
      signatures: signatures + Number(isRight),
      wrong: wrong + Number(!isRight),
      sentAgain: sentAgain + track.failures,
    };
  }

  #rest(): Wait<void> {
    const rest = new Wait<void>();
    this.linux.timers.after(restMs, () => rest.complete(() => {}), { isBackground: true });
    return rest;
  }

  #armReport(): void {
    const { nextReportAtMs } = this.#now;
    if (nextReportAtMs !== null) this.linux.timers.at(nextReportAtMs, () => this.#report(), { isBackground: true });
  }

  #report(): void {
    if (!this.isRunning) return;
    this.#log(Level.info, this.#counts);
    this.#now = { ...this.#now, nextReportAtMs: this.linux.timers.nowMs + reportMs };
    this.#armReport();
  }

  #fail({ code }: Errno): void {
    this.#end({ state: "failed", error: code });
    this.#log(Level.error, `${this.#counts}; ended: ${errnoText(code) ?? code} (${code})`);
  }

  #end(how: Pick<SavedLoop, "state"> & Partial<SavedLoop>): void {
    this.#now = { ...this.#now, nextReportAtMs: null, ...how };
  }

  get #counts(): string {
    const { signatures, wrong, sentAgain } = this.#now;
    return `${signatures} signatures, ${wrong} wrong, ${sentAgain} sent again`;
  }

  #log(level: number, text: string): void {
    this.linux.log.write(level, `crypto-loop: ${text}`);
  }
}

function raise(error: unknown): never {
  throw error;
}
