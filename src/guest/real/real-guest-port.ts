import { Facility } from "../../ap/platform.ts";
import type {
  GuestDescription,
  GuestListener,
  GuestPort,
  HostOffer,
  MigratingDevice,
  MigratingMachine,
  PlugOutcome,
  StockGuestPort,
  StockMachine,
  StockMonitor,
} from "../../qemu/guest-port.ts";
import { QemuError } from "../../qemu/qemu-error.ts";
import type { ErrnoName } from "../../sysfs/errno.ts";
import { GuestProcessors } from "./guest-processors.ts";
import type { InstructionAnswer, InstructionRequest } from "./instruction-request.ts";
import { receiveStockMachine } from "./migration/receive-stock-machine.ts";
import { type StockSource, sendStockMachine } from "./migration/send-stock-machine.ts";
import { StockMigration } from "./migration/stock-migration.ts";
import { type StockQemu, type StockQemuOptions, startStockQemu } from "./stock-qemu.ts";

/** A host that does the AP instructions of a guest whose processors are elsewhere. */
export interface InstructionPort extends GuestPort {
  execute(request: InstructionRequest): Promise<InstructionAnswer>;
}

/**
 * A real guest: AP is the host's, by the port below; processors, memory and every other device are those of a stock QEMU. Whatever ends one
 * of the two ends the other.
 */
export class RealGuestPort implements StockGuestPort {
  readonly offer: HostOffer;
  readonly stock: StockMonitor;
  readonly machine: MigratingMachine;
  #qemu: StockQemu | undefined;
  #processors: GuestProcessors | undefined;
  #migration: StockMigration | undefined;
  #listener: GuestListener | undefined;
  #stockListener: Parameters<StockMonitor["onEvent"]>[0] | undefined;
  #isRunning = false;
  #isEnding = false;

  constructor(
    private readonly host: InstructionPort,
    private readonly stockMachine: StockMachine,
    private readonly surroundings: Pick<StockQemuOptions, "hasStdio" | "report">,
  ) {
    this.offer = host.offer;
    this.stock = {
      execute: (command, values) => this.#running.qmp.execute(command, values),
      onEvent: (listener) => {
        this.#stockListener = listener;
      },
    };
    this.machine = {
      send: (channel) => sendStockMachine(this.#moving, channel),
      receive: (channel) => receiveStockMachine(this.#moving, channel),
      progress: () => this.#moving.migration.ram(),
    };
  }

  get device(): MigratingDevice {
    return this.host.device;
  }

  listen(listener: GuestListener): void {
    this.#listener = listener;
    this.host.listen(listener);
  }

  async create(guest: GuestDescription): ReturnType<GuestPort["create"]> {
    // The stub cannot interrupt.
    const features = { ...guest.features, apqi: false };
    const outcome = await this.host.create({ ...guest, features, kind: "real" });
    if (outcome !== "created") return outcome;
    try {
      await this.#start(features, guest.isIncoming === true);
    } catch (error) {
      this.#isEnding = true;
      await this.#qemu?.stop();
      await this.host.destroy();
      throw error;
    }
    return outcome;
  }

  async run(): Promise<void> {
    await this.host.run();
    this.#isRunning = true;
    if (this.#migration?.hasReachedEnd) await this.#takeBack();
    else this.#processors?.run();
  }

  async pause(): Promise<void> {
    this.#isRunning = false;
    await this.#processors?.pause();
    await this.host.pause();
  }

  async powerOff(): Promise<"asked"> {
    await this.#running.qmp.execute("system_powerdown", {});
    return "asked";
  }

  async reset(): Promise<ErrnoName | undefined> {
    await this.#processors?.pause();
    const errno = await this.host.reset();
    await this.#running.restart();
    this.#processors?.restart();
    if (this.#isRunning) this.#processors?.run();
    return errno;
  }

  plug(sysfsdev: string): Promise<PlugOutcome> {
    return this.host.plug(sysfsdev);
  }

  unplug(): Promise<void> {
    return this.host.unplug();
  }

  async destroy(): Promise<void> {
    this.#isEnding = true;
    this.#processors?.close();
    await this.#qemu?.stop();
    await this.host.destroy();
  }

  get #running(): StockQemu {
    if (!this.#qemu) throw new QemuError("the QEMU that runs this guest is not there");
    return this.#qemu;
  }

  get #moving(): StockSource {
    if (!this.#processors || !this.#migration) throw new QemuError("the QEMU that runs this guest is not there");
    return { processors: this.#processors, memory: this.#running.memory, migration: this.#migration };
  }

  /** A guest that was sent, and stays here after all. */
  async #takeBack(): Promise<void> {
    const { migration, processors } = this.#moving;
    migration.hasReachedEnd = false;
    await processors.runBy(() => migration.qmp.execute("cont", {}));
  }

  async #start({ ap, apqci, apft }: GuestDescription["features"], isIncoming: boolean): Promise<void> {
    const qemu = await startStockQemu({ ...this.stockMachine, ...this.surroundings, isIncoming });
    this.#qemu = qemu;
    this.#migration = new StockMigration(qemu.qmp);
    void qemu.ended.then((how) => {
      if (!this.#isEnding) this.#listener?.stockEnded?.(how);
    });
    qemu.qmp.onEvent((event) => this.#take(event));
    try {
      this.#processors = await GuestProcessors.attach({
        socketPath: qemu.gdbSocket,
        monitor: qemu.qmp,
        memory: qemu.memory,
        execute: (request) => this.host.execute(request),
        hasAp: ap,
        facilities: [...(apqci ? [Facility.qci] : []), ...(apft ? [Facility.apft] : [])],
        onProblem: (text) => this.surroundings.report(`warning: ${text}`),
      });
    } finally {
      qemu.removeSockets();
    }
  }

  #take({ event, data }: { readonly event: string; readonly data?: Readonly<Record<string, unknown>> }): void {
    if (event === "SHUTDOWN" && data?.guest === true) {
      this.#listener?.guestStopped(data.reason === "guest-reset" ? "reset" : "shutdown");
    }
    if (event === "GUEST_PANICKED") this.#listener?.guestStopped("panic");
    // Of what goes on between the two QEMUs; whose guest it is tells of the whole.
    if (event === "MIGRATION") return;
    this.#stockListener?.({ event, ...(data && { data }) });
  }
}
