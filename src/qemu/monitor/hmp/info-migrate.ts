import { migrationInfo } from "../migration-info.ts";
import type { HumanContext } from "./human-command.ts";

interface ShownInfo {
  readonly status?: string;
  readonly "error-desc"?: string;
  readonly "blocked-reasons"?: readonly string[];
  readonly "total-time"?: number;
  readonly "setup-time"?: number;
  readonly "expected-downtime"?: number;
  readonly downtime?: number;
  readonly "socket-address"?: readonly Readonly<Record<string, string>>[];
  readonly ram?: Readonly<Record<string, unknown>>;
}

/** `info migrate`. Source: hmp_info_migrate of QEMU 10.2.2's migration/migration-hmp-cmds.c. */
export async function infoMigrate(context: HumanContext): Promise<string> {
  const info: ShownInfo = await migrationInfo(context);
  const lines: string[] = [];
  const { status, ram } = info;
  if (info["blocked-reasons"]) lines.push("Outgoing migration blocked:", ...info["blocked-reasons"].map((reason) => `  ${reason}`));
  if (status !== undefined) {
    const problem = status === "failed" && info["error-desc"] !== undefined ? ` (${info["error-desc"]})` : "";
    lines.push(`Status: \t\t${status}${problem}`);
  }
  if (info["total-time"]) lines.push(`Time (ms): \t\t${timesText(info)}`);
  if (info["socket-address"]) lines.push("Sockets: [", ...info["socket-address"].map((address) => `\t${addressText(address)}`), "]");
  if (ram) {
    lines.push("RAM info:", `  Throughput (Mbps): \t${Number(ram.mbps).toFixed(2)}`);
    lines.push(`  Transfers: \t\ttransferred=${sizeText(ram.transferred)}, remain=${sizeText(ram.remaining)}`);
  }
  return lines.map((line) => `${line}\n`).join("");
}

const shownTimes = [
  ["total-time", "total"],
  ["setup-time", "setup"],
  ["expected-downtime", "exp_down"],
  ["downtime", "down"],
] as const;

const timesText = (info: ShownInfo): string =>
  shownTimes.flatMap(([member, name]) => (info[member] === undefined ? [] : [`${name}=${info[member]}`])).join(", ");

const addressText = ({ type, path, host, port }: Readonly<Record<string, string>>): string =>
  type === "unix" ? `unix:${path}` : `tcp:${host}:${port}`;

/** As QEMU's size_to_str: three digits and a binary unit. */
function sizeText(bytes: unknown): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let [value, unit] = [Number(bytes), 0];
  for (; value >= 1000 && unit < units.length - 1; unit++) value /= 1024;
  return `${Number(value.toPrecision(3))} ${units[unit]}`;
}
