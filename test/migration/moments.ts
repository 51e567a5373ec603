import { readdirSync, readFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { QmpClient } from "../qemu/qmp-client.ts";

/** `memory`: some of the guest's memory is at the target; `end`: the guest stands, and its device and the rest are on the way. */
export type Moment = "memory" | "end";

/** Resolves at that moment of the next migration of the emulator whose QMP socket this is; rejects when that or the emulator ends before. */
export async function atMoment(monitor: QmpClient, moment: Moment, delayMs: number): Promise<void> {
  const status = moment === "end" ? "device" : "active";
  const { data } = await monitor.next(
    (message) =>
      message.event === "MIGRATION" && [status, "completed", "failed"].includes((message.data as { readonly status: string }).status),
  );
  if ((data as { readonly status: string }).status !== status) throw new Error(`the migration ended before: ${JSON.stringify(data)}`);
  while (moment === "memory") {
    const { ram, status } = (await monitor.execute("query-migrate")).return as {
      readonly status: string;
      readonly ram?: { readonly transferred: number };
    };
    if (status !== "active" || (ram && ram.transferred > 2 ** 20)) break;
  }
  if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
}

/** A monitor that tells of the moments of a migration. */
export async function watchingMonitor(socketPath: string): Promise<QmpClient> {
  const monitor = await QmpClient.connect(socketPath);
  await monitor.execute("migrate-set-capabilities", { capabilities: [{ capability: "events", state: true }] });
  return monitor;
}

/** A socket between two emulators that can be cut. */
export class CuttableSocket {
  readonly #sockets = new Set<Socket>();
  readonly #server;

  private constructor(
    readonly path: string,
    target: string,
  ) {
    this.#server = createServer((near) => {
      const far = connect(target);
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(from);
        from.on("error", () => {});
        from.on("close", () => to.destroy());
        from.pipe(to);
      }
    });
  }

  static async between(path: string, target: string): Promise<CuttableSocket> {
    const socket = new CuttableSocket(path, target);
    await new Promise<void>((resolve) => void socket.#server.listen(path, resolve));
    return socket;
  }

  cut(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}

/** Processes that this one started, other threads of it included. */
export function childrenOf(pid: number): number[] {
  const parents = readdirSync(`/proc/${pid}/task`);
  return parents.flatMap((thread) => readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8").split(" ").filter(Boolean).map(Number));
}

/** Processes of a program that have this text on their command line. */
export function processesOf(program: string, text: string): number[] {
  return readdirSync("/proc").flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return [];
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
      return words[0]!.endsWith(program) && words.some((word) => word.includes(text)) ? [Number(pid)] : [];
    } catch {
      return [];
    }
  });
}
