/** The lines of a guest's log as libvirt keeps it in /var/log/libvirt/qemu. Whoever gives the sink writes the file. */
export type LogSink = (line: string) => void;

export type EndReason = "shutdown" | "destroyed" | "crashed" | "failed" | "migrated";

/** What is started, one option a line. */
export function logStart(log: LogSink, nowMs: number, words: readonly string[]): void {
  log(`${logTime(nowMs)}: starting up`);
  const lines = optionLines(["qemu-system-s390x", ...words]);
  for (const [index, line] of lines.entries()) log(index < lines.length - 1 ? `${line} \\` : line);
}

export const logEnd = (log: LogSink, nowMs: number, reason: EndReason): void => log(`${logTime(nowMs)}: shutting down, reason=${reason}`);

/** What libvirt notes when a guest begins to move. */
export const migrationLogLine = (nowMs: number): string => `${logTime(nowMs)}: initiating migration`;

/** 2026-11-21 05:12:00.123+0000 */
const logTime = (nowMs: number): string => `${new Date(nowMs).toISOString().replace("T", " ").replace("Z", "")}+0000`;

/** An option and its argument stay together. */
function optionLines(words: readonly string[]): string[] {
  const lines: string[] = [];
  for (const word of words) {
    const isArgument = !word.startsWith("-") && lines.length > 1 && /^-\S*$/.test(lines.at(-1) ?? "");
    if (isArgument) lines.push(`${lines.pop()} ${quoted(word)}`);
    else lines.push(quoted(word));
  }
  return lines;
}

const quoted = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);
