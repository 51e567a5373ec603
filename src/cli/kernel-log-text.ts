/** Lines of a host's kernel log as dmesg of util-linux prints them. */
export interface KernelLogLine {
  readonly sequence: number;
  /** Since the start of that Linux. */
  readonly timeMs: number;
  readonly level: number;
  readonly text: string;
}

export interface LogStyle {
  /** `since-start`: [    1.234567]; `calendar`: as ctime(3); `raw`: <6>[    1.234567]; `none`. */
  readonly time: "since-start" | "calendar" | "raw" | "none";
  /** Only these levels; undefined: all. */
  readonly levels: ReadonlySet<number> | undefined;
  /** When that Linux started, milliseconds since 1970. */
  readonly startedAtMs: number;
}

export const levelNames = ["emerg", "alert", "crit", "err", "warn", "notice", "info", "debug"] as const;

/** `err,warn`, or a level and all above it as `warn+`, or below as `+warn`; undefined when a word is no level. */
export function parseLevels(text: string): ReadonlySet<number> | undefined {
  const levels = new Set<number>();
  for (const word of text.split(",")) {
    const level = (levelNames as readonly string[]).indexOf(word.replaceAll("+", ""));
    if (level < 0) return undefined;
    const first = word.endsWith("+") ? 0 : level;
    const last = word.startsWith("+") ? levelNames.length - 1 : level;
    for (let at = first; at <= last; at++) levels.add(at);
  }
  return levels;
}

/** Undefined for a line that the style leaves out. */
export function logText(line: KernelLogLine, style: LogStyle): string | undefined {
  if (style.levels && !style.levels.has(line.level)) return undefined;
  return `${timeText(line, style)}${line.text}`;
}

function timeText({ timeMs, level }: KernelLogLine, { time, startedAtMs }: LogStyle): string {
  const seconds = `[${(timeMs / 1000).toFixed(6).padStart(12)}] `;
  switch (time) {
    case "none":
      return "";
    case "raw":
      return `<${level}>${seconds}`;
    case "calendar":
      return `[${calendarTime(new Date(startedAtMs + timeMs))}] `;
    case "since-start":
      return seconds;
  }
}

const weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** As ctime(3): Sat Nov 21 02:39:17 2026, in local time. */
function calendarTime(date: Date): string {
  const two = (value: number): string => String(value).padStart(2, "0");
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":");
  return `${weekdays[date.getDay()]} ${months[date.getMonth()]} ${String(date.getDate()).padStart(2)} ${time} ${date.getFullYear()}`;
}
