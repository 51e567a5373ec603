import { QemuError } from "../../../qemu/qemu-error.ts";
import type { QmpClient } from "../qmp-client.ts";

/** How the migration of one stock QEMU stands, by its own events. */
export class StockMigration {
  /** The machine was sent to its end: QEMU gave its disks away, and takes them back by `cont` alone. */
  hasReachedEnd = false;
  #status = "none";
  #problem: string | undefined;
  #waiting: (() => void)[] = [];

  constructor(readonly qmp: QmpClient) {
    qmp.watch(({ event, data }) => {
      if (event !== "MIGRATION") return;
      this.#status = String(data?.status);
      this.#wake();
    });
    void qmp.closed.then(() => {
      this.#problem = "the QEMU that runs this guest is gone";
      this.#wake();
    });
  }

  /** Before any that begins, and after the one that ended. */
  async prepare(): Promise<void> {
    this.#status = "none";
    await this.qmp.execute("migrate-set-capabilities", { capabilities: [{ capability: "events", state: true }] });
  }

  /** The first of these that it comes to. QemuError where it fails instead, or its QEMU is gone. */
  async until(...wanted: readonly string[]): Promise<string> {
    while (!wanted.includes(this.#status)) {
      if (this.#problem !== undefined) throw new QemuError(this.#problem);
      if (endings.has(this.#status)) throw new QemuError(await this.#reason());
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    return this.#status;
  }

  /** Ends what goes on; resolves when none does. */
  async abandon(): Promise<void> {
    if (this.#problem !== undefined || this.#status === "none") return;
    try {
      await this.qmp.execute("migrate_cancel", {});
      await this.until(...endings);
    } catch (error) {
      // A QEMU that is gone sends nothing.
      if (this.#problem === undefined) throw error;
    }
  }

  /** What query-migrate tells of memory. */
  async ram(): Promise<Readonly<Record<string, unknown>> | undefined> {
    const { ram } = (await this.qmp.execute("query-migrate", {})) as { readonly ram?: Readonly<Record<string, unknown>> };
    return ram;
  }

  async #reason(): Promise<string> {
    // One that could not load what came is about to end.
    const told = (await this.qmp.execute("query-migrate", {}).catch(() => ({}))) as { readonly "error-desc"?: unknown };
    return typeof told["error-desc"] === "string" ? told["error-desc"] : `the migration of stock QEMU is ${this.#status}`;
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** Source: QEMU qapi/migration.json, MigrationStatus. */
const endings: ReadonlySet<string> = new Set(["failed", "cancelled", "completed"]);
