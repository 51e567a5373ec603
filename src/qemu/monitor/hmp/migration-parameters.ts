import { memorySize } from "../../command-line/memory-size.ts";
import { QemuError } from "../../qemu-error.ts";
import { migrationParameterChoices, migrationParameterDefaults } from "../migration-settings.ts";
import type { HumanContext } from "./human-command.ts";

/** Parameters of migration, shown and set by people. Source of texts and order: QEMU 10.2.2 migration/migration-hmp-cmds.c, qapi/string-input-visitor.c. */
type Name = keyof typeof migrationParameterDefaults;

/** What stands behind a value; `quoted`: it is a text in quotes. */
const shown: readonly (readonly [name: Name, unit: string])[] = [
  ["announce-initial", " ms"],
  ["announce-max", " ms"],
  ["announce-rounds", ""],
  ["announce-step", " ms"],
  ["throttle-trigger-threshold", ""],
  ["cpu-throttle-initial", ""],
  ["cpu-throttle-increment", ""],
  ["cpu-throttle-tailslow", ""],
  ["max-cpu-throttle", ""],
  ["tls-creds", "quoted"],
  ["tls-hostname", "quoted"],
  ["max-bandwidth", " bytes/second"],
  ["avail-switchover-bandwidth", " bytes/second"],
  ["downtime-limit", " ms"],
  ["x-checkpoint-delay", " ms"],
  ["multifd-channels", ""],
  ["multifd-compression", ""],
  ["zero-page-detection", ""],
  ["xbzrle-cache-size", " bytes"],
  ["max-postcopy-bandwidth", ""],
  ["tls-authz", "quoted"],
  ["x-vcpu-dirty-limit-period", " ms"],
  ["vcpu-dirty-limit", " MB/s"],
  ["mode", ""],
  ["direct-io", ""],
];

export function infoMigrateParameters({ state }: HumanContext): string {
  const { parameters } = state.migration;
  return shown.map(([name, unit]) => `${name}: ${valueText(parameters[name], unit)}\n`).join("");
}

function valueText(value: unknown, unit: string): string {
  if (unit === "quoted") return `'${value}'`;
  if (typeof value === "boolean") return value ? "on" : "off";
  return `${value}${unit}`;
}

const ofOneByte: ReadonlySet<string> = new Set([
  "throttle-trigger-threshold",
  "cpu-throttle-initial",
  "cpu-throttle-increment",
  "max-cpu-throttle",
  "multifd-channels",
  "multifd-zlib-level",
  "multifd-zstd-level",
]);
/** A number alone counts in MiB. */
const bandwidths: ReadonlySet<string> = new Set(["max-bandwidth", "avail-switchover-bandwidth"]);

/** What somebody typed as the value that a parameter takes. QemuError. */
export function migrationParameter(name: string, text: string): Readonly<Record<string, unknown>> {
  if (name === "block-bitmap-mapping") throw new QemuError("The block-bitmap-mapping parameter can only be set through QMP");
  if (!Object.hasOwn(migrationParameterDefaults, name)) throw new QemuError(`invalid parameter value: ${name}`);
  return { [name]: typedValue(name as Name, text) };
}

function typedValue(name: Name, text: string): unknown {
  const choices = migrationParameterChoices[name];
  if (choices) return choices.includes(text) ? text : refuse(`Parameter '${name}' does not accept value '${text}'`);
  const before = migrationParameterDefaults[name];
  if (typeof before === "boolean") return switchOf(name, text);
  if (typeof before !== "number") return text;
  if (ofOneByte.has(name)) return smallNumber(name, text);
  if (!bandwidths.has(name)) return memorySize(text, name, "B");
  try {
    return memorySize(text, name, "M");
  } catch {
    return refuse(`Invalid size ${text}`);
  }
}

function switchOf(name: string, text: string): boolean {
  if (["on", "yes", "true", "y"].includes(text)) return true;
  return ["off", "no", "false", "n"].includes(text) ? false : refuse(`Parameter '${name}' expects 'on' or 'off'`);
}

function smallNumber(name: string, text: string): number {
  if (!/^\d+$/.test(text)) return refuse(`Invalid parameter type for '${name}', expected: int64`);
  return Number(text) < 256 ? Number(text) : refuse(`Parameter '${name}' expects uint8_t`);
}

const refuse = (problem: string): never => {
  throw new QemuError(problem);
};
