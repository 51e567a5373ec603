import { cpuDefinitionList } from "../cpu/cpu-definition-list.ts";
import { featureGroups, featureNames } from "../cpu/feature-names.ts";
import { type DeviceType, deviceCategories, deviceTypes } from "../devices/device-types.ts";
import { qemuVersionText } from "../monitor/qemu-version.ts";
import { machineTypes } from "../objects/machine-types.ts";
import { userObjectTypes } from "../objects/qom-types.ts";
import { chardevBackends } from "./chardev-option.ts";
import { optionTable } from "./option-table.ts";

/** Texts of `--help` and its like; each ends without a line end. */
export const versionText = `QEMU emulator version ${qemuVersionText} (Adjunct)`;

export function helpText(): string {
  const names = [...optionTable.values()].filter(({ isForTarget, isRead }) => isForTarget && isRead);
  return [
    versionText,
    "usage: qemu-system-s390x [options]",
    "",
    "A guest of an Adjunct host, without a processor. These options have an effect:",
    ...names.map(({ name, takesArgument }) => `  -${name}${takesArgument ? " …" : ""}`),
    "",
    "QEMU's other options for s390x are accepted and noted in the guest's log.",
    "-cpu, -machine, -accel, -device, -object and -chardev list what they take after the word help.",
  ].join("\n");
}

export const machineHelp = (): string =>
  [
    "Supported machines are:",
    ...machineTypes.flatMap(({ name, description, alias, isDefault = false, isDeprecated = false }) => {
      const line = `${name.padEnd(20)} ${description}${isDefault ? " (default)" : ""}${isDeprecated ? " (deprecated)" : ""}`;
      return alias === undefined ? [line] : [`${alias.padEnd(20)} ${description} (alias of ${name})`, line];
    }),
  ].join("\n");

export const accelHelp = (): string => ["Accelerators supported in QEMU binary:", "tcg", "kvm"].join("\n");

export function cpuHelp(): string {
  const line = (name: string, title: string, remark: string): string =>
    `s390 ${name.padEnd(15)} ${title.padEnd(35)}${remark && ` (${remark})`}`;
  return [
    "Available CPUs:",
    line("host", "KVM processor with all supported features", "").trimEnd(),
    line("max", "Enables all features supported by the accelerator in the current host", "").trimEnd(),
    line("qemu", "QEMU Virtual CPU version 2.5+", "migration-safe"),
    ...cpuDefinitionList.flatMap(({ name, title }) => [
      line(`${name}-base`, title, "static, migration-safe"),
      line(name, title, "migration-safe"),
    ]),
    "",
    "Recognized feature flags:",
    ...featureNames,
    "",
    "Recognized feature groups:",
    ...featureGroups.keys(),
  ].join("\n");
}

export function deviceHelp(): string {
  const usable = deviceTypes.filter(({ isAbstract, isUserCreatable = true }) => !isAbstract && isUserCreatable);
  return deviceCategories
    .map((category) => ({ category, types: usable.filter((type) => type.category === category) }))
    .filter(({ types }) => types.length > 0)
    .map(({ category, types }) => [`${category} devices:`, ...types.map(deviceLine).sort()].join("\n"))
    .join("\n\n");
}

function deviceLine({ name, busType, alias, description }: DeviceType): string {
  return [
    `name "${name}"`,
    ...(busType === undefined ? [] : [`bus ${busType}`]),
    ...(alias === undefined ? [] : [`alias "${alias}"`]),
    ...(description === undefined ? [] : [`desc "${description}"`]),
  ].join(", ");
}

/** -device TYPE,help. */
export function deviceOptionsHelp({ name, properties = [] }: DeviceType): string {
  if (properties.length === 0) return `There are no options for ${name}.`;
  return [
    `${name} options:`,
    ...properties.map((property) => {
      const start = `  ${property.name}=<${property.type}>`;
      return property.description === undefined ? start : `${start.padEnd(24)} - ${property.description}`;
    }),
  ].join("\n");
}

export const objectHelp = (): string => ["List of user creatable objects:", ...userObjectTypes.map((name) => `  ${name}`)].join("\n");

export const chardevHelp = (): string => ["Available chardev backend types: ", ...chardevBackends.map((name) => `  ${name}`)].join("\n");
