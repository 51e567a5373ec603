import { randomBytes } from "node:crypto";
import type { Duplex } from "node:stream";
import type { Emulator, EmulatorEvent } from "../emulator.ts";
import { migrationLogLine } from "../guest-log.ts";
import { PeerGaveUp } from "../migration/frame-connection.ts";
import { IncomingMigration, LoadError } from "../migration/incoming-migration.ts";
import type { MigrationAddress } from "../migration/migration-address.ts";
import { type MigrationListener, type MigrationSurroundings, ownSurroundings } from "../migration/migration-surroundings.ts";
import { securedIncoming, securedOutgoing, type TlsParameters } from "../migration/migration-tls.ts";
import { OutgoingMigration, type OutgoingTimes } from "../migration/outgoing-migration.ts";
import type { Witness } from "../migration/witness.ts";
import { QemuError } from "../qemu-error.ts";
import { migrationCapabilities, migrationParameterDefaults } from "./migration-settings.ts";

export type MigrationStatus =
  | "none"
  | "setup"
  | "active"
  | "pre-switchover"
  | "device"
  | "completed"
  | "failed"
  | "cancelling"
  | "cancelled";

/** How a migration ended. */
export interface MigrationEnd {
  readonly status: "completed" | "failed" | "cancelled";
  readonly problem?: string;
  /** What the target said of it, where it did. */
  readonly peerProblem?: string;
  readonly times?: OutgoingTimes;
}

/**
 * Migration of an emulator's guest, out or in: what monitors ask of it, and its states and events in QEMU's order. What moves, and what may
 * not happen twice, is src/qemu/migration's. Source of texts and order: QEMU 10.2.2 migration/migration.c.
 */
export class Migration {
  readonly capabilities = new Map<string, boolean>(migrationCapabilities.map((name) => [name, false]));
  readonly parameters: Record<string, unknown> = { ...migrationParameterDefaults };
  #status: MigrationStatus = "none";
  #end: MigrationEnd | undefined;
  #ended: Promise<MigrationEnd> | undefined;
  #startedAt = 0;
  #setupMs: number | undefined;
  #totalMs: number | undefined;
  #passes = 0;
  #mayContinue: (() => void) | undefined;
  #outgoing: OutgoingMigration | undefined;
  readonly #decided = new Map<string, OutgoingMigration>();
  #incoming: IncomingMigration | undefined;
  #listener: MigrationListener | undefined;
  #witness: Promise<Witness> | undefined;
  #hasBegunIncoming = false;
  #hasFailedToArrive = false;
  readonly #emulator: Emulator;
  readonly #surroundings: MigrationSurroundings;
  readonly #emit: (event: EmulatorEvent) => void;

  constructor(emulator: Emulator, emit: (event: EmulatorEvent) => void) {
    this.#emulator = emulator;
    this.#surroundings = emulator.options.migration ?? ownSurroundings;
    this.#emit = emit;
    void emulator.ended.then(() => this.#close());
  }

  get status(): MigrationStatus {
    return this.#status;
  }

  get problem(): string | undefined {
    return this.#end?.problem;
  }

  /** How the migration that is under way, or the last one, ends; undefined before any. */
  get ended(): Promise<MigrationEnd> | undefined {
    return this.#ended;
  }

  /** Where an emulator listens that a guest is to come to, with the port that it was given. */
  get listeningAddress(): MigrationAddress | undefined {
    return this.#listener?.address;
  }

  /** A guest did not come, and the emulator ended for that. */
  get hasFailedToArrive(): boolean {
    return this.#hasFailedToArrive;
  }

  get isRunning(): boolean {
    return runningStatuses.has(this.#status);
  }

  /** The guest is on its way out: a target's capabilities may be set until its guest is here. Source: migration_is_running of QEMU. */
  get isLeaving(): boolean {
    return this.isRunning && this.#emulator.runState !== "inmigrate";
  }

  /** In milliseconds, as far as they are known. */
  get times(): { readonly setupMs?: number; readonly totalMs?: number; readonly outgoing?: OutgoingTimes } {
    const totalMs = this.#outgoing && this.isRunning && this.#setupMs !== undefined ? this.#sinceStart() : this.#totalMs;
    return {
      ...(this.#setupMs !== undefined && { setupMs: this.#setupMs }),
      ...(totalMs !== undefined && { totalMs }),
      ...(this.#end?.times && { outgoing: this.#end.times }),
    };
  }

  get passes(): number {
    return this.#passes;
  }

  /** What forbids it as query-migrate lists it. */
  get blockedReasons(): string[] {
    const blocker = this.#emulator.migrationBlocker;
    return blocker ? [blocker.reason] : [];
  }

  /** Begins to move the guest out; `ended` tells how that went. QemuError: it did not begin. */
  begin(address: MigrationAddress): Promise<MigrationEnd> {
    this.#checkBegin();
    // A guest that came is one that goes now: what is told of it is the new migration.
    this.#listener?.close();
    this.#listener = undefined;
    this.#end = undefined;
    this.#totalMs = undefined;
    this.#setupMs = undefined;
    this.#passes = 0;
    this.#startedAt = this.#surroundings.nowMs();
    this.#emulator.isMigrating = true;
    this.#emulator.options.note?.(migrationLogLine(this.#emulator.options.nowMs()));
    this.#enter("setup");
    this.#ended = this.#moveOut(address);
    return this.#ended;
  }

  /** migrate_cancel: no more than a wish once the target has the guest. */
  cancel(): void {
    if (!this.#outgoing || !this.isRunning || this.#status === "cancelling") return;
    this.#enter("cancelling");
    this.#outgoing.giveUp(new QemuError("the migration was cancelled"));
    this.#mayContinue?.();
  }

  /** migrate-continue. QemuError. */
  continue(state: string): void {
    if (this.#status !== state) throw new QemuError(`Migration not in expected state: ${this.#status}`);
    this.#mayContinue?.();
  }

  /** -incoming and migrate-incoming: waits for a guest at an address. QemuError. */
  async listen(address: MigrationAddress, { exitsOnError }: { readonly exitsOnError: boolean }): Promise<void> {
    if (this.#hasBegunIncoming) throw new QemuError("The incoming migration has already been started");
    if (this.#emulator.runState !== "inmigrate") throw new QemuError("'-incoming' was not specified on the command line");
    const witness = await this.#serveWitness();
    this.#listener = await this.#surroundings.listen(address, (stream) => {
      this.#accept(stream, witness, exitsOnError).catch((error: unknown) => this.#emulator.options.report?.((error as Error).message));
    });
    this.#hasBegunIncoming = true;
    this.#enter("setup");
  }

  #checkBegin(): void {
    const { runState } = this.#emulator;
    if (this.isLeaving) throw new QemuError("There's a migration process in progress");
    if (runState === "inmigrate") throw new QemuError("Guest is waiting for an incoming migration");
    if (runState === "postmigrate") throw new QemuError("Can't migrate the vm that was paused due to previous migration");
    const blocker = this.#emulator.migrationBlocker;
    if (blocker) throw new QemuError(blocker.refusal);
  }

  async #moveOut(address: MigrationAddress): Promise<MigrationEnd> {
    try {
      const token = randomBytes(16).toString("hex");
      const tls = this.#tls;
      const connect = async (to: MigrationAddress): Promise<Duplex> =>
        securedOutgoing(this.#emulator.machine, tls, to, await this.#surroundings.connect(to));
      const surroundings = { ...this.#surroundings, connect };
      const outgoing = new OutgoingMigration(this.#emulator, surroundings, await this.#serveWitness(), token);
      this.#decided.set(token, outgoing);
      this.#outgoing = outgoing;
      const times = await outgoing.run(address, {
        active: () => {
          this.#pass();
          this.#setupMs = this.#sinceStart();
          this.#enter("active");
        },
        maySwitchOver: () => this.#switchOver(),
        device: () => {
          if (this.#status !== "cancelling") this.#enter("device");
          this.#pass();
        },
        failing: (cause) => {
          if (this.#status !== "cancelling") this.#stayed(cause);
        },
      });
      return await this.#emulator.exclusively(async () => this.#left(times));
    } catch (error) {
      // A monitor may have been told already, in the turn that gave the guest back.
      if (this.isRunning) this.#stayed(error as Error);
      return this.#end ?? { status: "failed" };
    } finally {
      this.#emulator.isMigrating = false;
      this.#outgoing = undefined;
    }
  }

  async #switchOver(): Promise<void> {
    if (!this.capabilities.get("pause-before-switchover") || this.#status === "cancelling") return;
    this.#enter("pre-switchover");
    await new Promise<void>((resolve) => {
      this.#mayContinue = resolve;
    });
    this.#mayContinue = undefined;
  }

  #left(times: OutgoingTimes): MigrationEnd {
    this.#totalMs = this.#sinceStart();
    this.#end = { status: "completed", times };
    this.#emulator.leave();
    const { note, vfioAp } = { note: this.#emulator.options.note, vfioAp: this.#emulator.vfioAp };
    if (vfioAp) note?.(`the vfio-ap device stood for ${times.apDowntimeMs.toFixed(1)} ms of ${times.downtimeMs.toFixed(1)} ms`);
    this.#enter("completed");
    return this.#end;
  }

  #stayed(error: Error): void {
    if (this.#status === "cancelling") {
      this.#end = { status: "cancelled" };
    } else if (error instanceof PeerGaveUp) {
      // As QEMU's return path has it: that, and not why.
      const problem = "Sibling indicated error 1";
      this.#emulator.options.report?.(problem);
      this.#end = { status: "failed", problem, peerProblem: error.message };
    } else {
      this.#end = { status: "failed", problem: error.message };
      if (!(error instanceof QemuError)) this.#emulator.options.report?.(`error: ${error.stack ?? error.message}`);
    }
    this.#enter(this.#end.status);
  }

  /** The first one that is whom it says it is; who is not is told of and waited on for no longer. */
  async #accept(stream: Duplex, witness: Witness, exitsOnError: boolean): Promise<void> {
    const secured = await securedIncoming(this.#emulator.machine, this.#tls, stream).catch((error: unknown) => {
      stream.destroy();
      throw error;
    });
    if (this.#incoming) return void secured.destroy();
    this.#listener?.close();
    this.#ended = this.#moveIn(secured, witness, exitsOnError);
  }

  get #tls(): TlsParameters {
    return { "tls-creds": String(this.parameters["tls-creds"]), "tls-hostname": String(this.parameters["tls-hostname"]) };
  }

  async #moveIn(stream: Duplex, witness: Witness, exitsOnError: boolean): Promise<MigrationEnd> {
    const { options } = this.#emulator;
    const incoming = new IncomingMigration(this.#emulator, this.#surroundings, witness);
    this.#incoming = incoming;
    this.#emulator.isMigrating = true;
    options.note?.(migrationLogLine(options.nowMs()));
    this.#enter("active");
    try {
      await incoming.run(stream);
      this.#end = { status: "completed" };
      this.#enter("completed");
    } catch (error) {
      this.#end = { status: "failed", problem: (error as Error).message };
      this.#enter("failed");
      for (const line of error instanceof LoadError ? error.lines : []) options.report?.(line);
      if (exitsOnError) await this.#exit(error as Error);
    } finally {
      this.#emulator.isMigrating = false;
    }
    return this.#end;
  }

  async #exit(error: Error): Promise<void> {
    if (this.#emulator.hasEnded) return;
    this.#hasFailedToArrive = true;
    this.#emulator.options.report?.(error.message);
    await this.#emulator.exclusively(() => this.#emulator.abandon());
  }

  /** One for the emulator's whole life: as long as it can be asked, nobody has to guess. */
  #serveWitness(): Promise<Witness> {
    this.#witness ??= this.#surroundings.serveWitness(async (question, token) => {
      if (question === "reach") return "here";
      if (question === "whose") return this.#decided.get(token)?.answer(question) ?? "mine";
      return (await this.#incoming?.answer(question, token)) ?? "gave-up";
    });
    return this.#witness;
  }

  #close(): void {
    this.#listener?.close();
    this.#outgoing?.giveUp(new QemuError("the guest has ended"));
    void this.#witness?.then((witness) => witness.close());
  }

  #sinceStart(): number {
    return this.#surroundings.nowMs() - this.#startedAt;
  }

  #pass(): void {
    this.#passes++;
    if (this.capabilities.get("events")) this.#emit({ event: "MIGRATION_PASS", data: { pass: this.#passes } });
  }

  #enter(status: MigrationStatus): void {
    this.#status = status;
    if (this.capabilities.get("events")) this.#emit({ event: "MIGRATION", data: { status } });
  }
}

/** Source: migration_is_running of QEMU 10.2.2, as far as states are entered here. */
const runningStatuses: ReadonlySet<MigrationStatus> = new Set(["setup", "active", "pre-switchover", "device", "cancelling"]);
