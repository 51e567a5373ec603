import type { SendCommand } from "./command-guest-port.ts";
import type { ControlRequest } from "./control-server.ts";

/** A hold ends with the connection that took it, however that ends. */
export async function holdForConnection(send: SendCommand, request: ControlRequest, closed: Promise<void>): Promise<unknown> {
  const hold = await send(request);
  if (typeof hold === "number") void closed.then(() => send({ do: "migration-hold", action: "release", hold }).catch(() => {}));
  return hold;
}
