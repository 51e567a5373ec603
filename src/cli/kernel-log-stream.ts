import type { KernelLogLine } from "./kernel-log-text.ts";
import type { LinuxClient } from "./linux-client.ts";

/** The lines of a Linux's kernel log, and with `follow` those that come, each once and in order, until the host ends. */
export async function streamKernelLog(
  linux: LinuxClient,
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
    await linux.client.follow(
      (event) => {
        if (event.guest !== linux.guest) return;
        const line = event as unknown as KernelLogLine;
        if (early) early.push(line);
        else take(line);
      },
      ["log"],
    );
  }
  for (const line of (await linux.ask("dmesg")) as KernelLogLine[]) take(line);
  for (const line of early) take(line);
  early = undefined;
  if (options.follow) await linux.client.closed;
}
