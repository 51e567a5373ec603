import * as v from "valibot";
import type { InstructionPort } from "../guest/real/real-guest-port.ts";
import type { GuestMonitor } from "../migration/guest-monitor.ts";
import type { JsonObject } from "../qemu/monitor/json/json-value.ts";
import { QemuError } from "../qemu/qemu-error.ts";
import { CommandGuestPort } from "./command-guest-port.ts";
import { type ControlClient, connectControl } from "./control-client.ts";
import { hostQuestion } from "./front-guests.ts";

export interface RemoteGuestPort extends InstructionPort {
  /** Its guest runs by these words; `monitor` answers what the host asks of its emulator. */
  started(guest: string, words: readonly string[], monitor: GuestMonitor): Promise<void>;
  /** A line for the log that the host keeps of a guest. */
  log(guest: string, line: string): void;
  close(): void;
}

/**
 * The port of an emulator in a process of its own. The guest lives as long as the connection: a host destroys it when its emulator's process
 * is gone. Rejects with ECONNREFUSED or ENOENT where no host listens.
 */
export async function connectGuestPort(controlSocketPath: string): Promise<RemoteGuestPort> {
  const client = await connectControl(controlSocketPath);
  const port = await CommandGuestPort.over((command) => client.request(command));
  let asked: (event: Readonly<Record<string, unknown>>) => void = () => {};
  const listener = (event: Readonly<Record<string, unknown>>): void => {
    port.take(event);
    asked(event);
  };
  await client.follow(listener, ["guest"]);
  void client.closed.then(() => port.hostEnded());
  return Object.assign(port, {
    async started(guest: string, words: readonly string[], monitor: GuestMonitor) {
      asked = (event) => void answerHost(client, guest, monitor, event);
      await client.request({ do: "front", action: "started", guest, words });
    },
    // A host that is gone keeps no log.
    log: (guest: string, line: string) => void client.request({ do: "guest-log", guest, line }).catch(() => {}),
    close: () => client.close(),
  });
}

/** A question of the host for the monitor of this guest; of others it is none of ours. */
async function answerHost(client: ControlClient, guest: string, monitor: GuestMonitor, event: unknown): Promise<void> {
  const parsed = v.safeParse(hostQuestion, event);
  if (!parsed.success || parsed.output.guest !== guest) return;
  const { question, execute, values } = parsed.output;
  const answer = await monitor.execute(execute, values as JsonObject).then(
    (result) => ({ result }),
    (error: unknown) => ({ problem: error instanceof QemuError ? error.message : String(error) }),
  );
  await client.request({ do: "front", action: "answer", guest, question, ...answer }).catch(() => {});
}
