import { connect } from "node:net";
import { systemErrorText } from "../chardev/system-error-text.ts";
import type { Emulator, EmulatorEvent } from "../emulator.ts";
import { QemuError } from "../qemu-error.ts";
import { migrationCapabilities, migrationParameterDefaults } from "./migration-settings.ts";

/**
 * Outgoing migration as far as a guest here gets: a vfio-ap device blocks it, and without one there is nobody who understands what would be
 * sent. Source of texts and order: QEMU 10.2.2 migration/migration.c.
 */
export class Migration {
  readonly capabilities = new Map<string, boolean>(migrationCapabilities.map((name) => [name, false]));
  readonly parameters: Record<string, unknown> = { ...migrationParameterDefaults };
  #status: "none" | "setup" | "failed" = "none";
  #problem: string | undefined;
  readonly #emulator: Emulator;
  readonly #emit: (event: EmulatorEvent) => void;

  constructor(emulator: Emulator, emit: (event: EmulatorEvent) => void) {
    this.#emulator = emulator;
    this.#emit = emit;
  }

  get status(): string {
    return this.#status;
  }

  get problem(): string | undefined {
    return this.#problem;
  }

  /** What forbids it as query-migrate lists it. */
  get blockedReasons(): string[] {
    return this.#emulator.vfioAp ? [`non-migratable device: ${vmstateId}`] : [];
  }

  /** Begins it; `problem` says later how it ended. QemuError. */
  begin(uri: string): void {
    const address = addressOf(uri);
    if (this.#status === "setup") throw new QemuError("There's a migration process in progress");
    if (this.#emulator.vfioAp) throw new QemuError(`State blocked by non-migratable device '${vmstateId}'`);
    this.#problem = undefined;
    this.#enter("setup");
    this.#connect(address);
  }

  #connect(address: MigrationAddress): void {
    if (!("options" in address)) return this.#fail(address.problem);
    const socket = connect(address.options);
    socket.once("connect", () => {
      socket.destroy();
      this.#fail("A guest of Adjunct cannot be migrated yet");
    });
    socket.once("error", (error) => this.#fail(`Failed to connect to '${address.text}': ${systemErrorText(error)}`));
  }

  #fail(problem: string): void {
    this.#problem = problem;
    this.#enter("failed");
  }

  #enter(status: "setup" | "failed"): void {
    this.#status = status;
    if (this.capabilities.get("events")) this.#emit({ event: "MIGRATION", data: { status } });
  }
}

/** The path of its bus and the name of its state. */
const vmstateId = "/1/vfio-ap";

type MigrationAddress =
  | { readonly options: { readonly host: string; readonly port: number } | { readonly path: string }; readonly text: string }
  | { readonly problem: string };

function addressOf(uri: string): MigrationAddress {
  const inet = /^tcp:(.*):(\d{1,5})$/.exec(uri);
  if (inet && Number(inet[2]) < 65536)
    return { options: { host: inet[1] || "localhost", port: Number(inet[2]) }, text: uri.slice("tcp:".length) };
  if (uri.startsWith("tcp:")) throw new QemuError(`error parsing address '${uri.slice("tcp:".length)}'`);
  if (uri.startsWith("unix:")) return { options: { path: uri.slice("unix:".length) }, text: uri.slice("unix:".length) };
  const name = /^fd:(.*)$/.exec(uri)?.[1];
  if (name !== undefined) throw new QemuError(`File descriptor named '${name}' has not been found`);
  if (/^(exec|file|vsock|rdma):/.test(uri)) return { problem: `A guest of Adjunct cannot be migrated to '${uri}'` };
  throw new QemuError(`unknown migration protocol: ${uri}`);
}
