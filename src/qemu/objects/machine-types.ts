/** A machine as -machine names it. */
export interface MachineType {
  readonly name: string;
  readonly description: string;
  readonly alias?: string;
  readonly isDefault?: boolean;
  readonly isDeprecated?: boolean;
  readonly maxCpus: number;
  /** No bus, no memory, no processor: for programs that only ask questions. */
  readonly isEmpty?: boolean;
}

const newest = "10.2";
/** QEMU drops a machine after six years and deprecates it after three: what 10.2 still has. */
const versions = [
  ..."4.1 4.2 5.0 5.1 5.2 6.0 6.1 6.2 7.0 7.1".split(" ").map((version) => ({ version, isDeprecated: true })),
  ..."7.2 8.0 8.1 8.2 9.0 9.1 9.2 10.0 10.1 10.2".split(" ").map((version) => ({ version, isDeprecated: false })),
];
const alias = "s390-ccw-virtio";

export const machineTypes: readonly MachineType[] = [
  { name: "none", description: "empty machine", maxCpus: 1, isEmpty: true },
  ...versions.map(({ version, isDeprecated }) => ({
    name: `${alias}-${version}`,
    description: `Virtual s390x machine (version ${version})`,
    maxCpus: 248,
    isDeprecated,
    ...(version === newest && { alias, isDefault: true }),
  })),
];

export const defaultMachineType = machineTypes.at(-1)!;

export const machineType = (name: string): MachineType | undefined =>
  machineTypes.find((type) => type.name === name || type.alias === name);

/** As QOM names it. */
export const machineTypeName = (name: string): string => `${name}-machine`;
