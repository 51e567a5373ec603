import type { InstructionPort } from "../guest/real/real-guest-port.ts";
import { CommandGuestPort } from "./command-guest-port.ts";
import { connectControl } from "./control-client.ts";

export interface RemoteGuestPort extends InstructionPort {
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
  await client.follow((event) => port.take(event), ["guest"]);
  void client.closed.then(() => port.hostEnded());
  return Object.assign(port, {
    // A host that is gone keeps no log.
    log: (guest: string, line: string) => void client.request({ do: "guest-log", guest, line }).catch(() => {}),
    close: () => client.close(),
  });
}
