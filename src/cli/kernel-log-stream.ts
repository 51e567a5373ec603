import type { ControlClient } from "../host/control-client.ts";
import type { KernelLogLine } from "./kernel-log-text.ts";

/** The lines of a host's kernel log, and with `follow` those that come, each once and in order, until the host ends. */
export async function streamKernelLog(
  client: ControlClient,
  options: { follow: boolean },
  onLine: (line: KernelLogLine) => void,
): Promise<void> {
  // Following begins first, so that no line falls between; what comes meanwhile waits.
  let early: KernelLogLine[] | undefined = [];
  let last = -1;
  const take = (line: KernelLogLine): void => {
    if (line.sequence <= last) return;
    last = line.sequence;
    onLine(line);
  };
  if (options.follow) {
    await client.follow((event) => {
      if (event.type !== "log") return;
      const line = event as unknown as KernelLogLine;
      if (early) early.push(line);
      else take(line);
    });
  }
  for (const line of (await client.request({ do: "dmesg" })) as KernelLogLine[]) take(line);
  for (const line of early) take(line);
  early = undefined;
  if (options.follow) await client.closed;
}
