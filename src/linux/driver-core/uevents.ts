/** What a kernel object tells user space: an action and its keys, in order. SEQNUM counts over one Linux. */
export interface Uevent {
  readonly action: string;
  /** The path below /sys. */
  readonly devpath: string;
  readonly subsystem: string;
  readonly sequence: number;
  /** ACTION, DEVPATH, SUBSYSTEM, the object's own keys, SEQNUM: as the kernel orders them. */
  readonly properties: readonly (readonly [string, string])[];
}

export class Uevents {
  #sequence = 0;
  readonly #listener: (event: Uevent) => void;

  constructor(listener: (event: Uevent) => void = () => {}) {
    this.#listener = listener;
  }

  emit(action: string, devpath: string, subsystem: string, keys: readonly (readonly [string, string])[]): void {
    const sequence = ++this.#sequence;
    const properties: [string, string][] = [
      ["ACTION", action],
      ["DEVPATH", devpath],
      ["SUBSYSTEM", subsystem],
      ...keys.map(([key, value]): [string, string] => [key, value]),
      ["SEQNUM", String(sequence)],
    ];
    this.#listener({ action, devpath, subsystem, sequence, properties });
  }

  /** The highest number so far. */
  get sequence(): number {
    return this.#sequence;
  }

  /** The next event is the one after this. */
  continueFrom(sequence: number): void {
    this.#sequence = sequence;
  }
}

const actions = ["add", "remove", "change", "move", "online", "offline", "bind", "unbind"];

/** What is written to a `uevent` file: an action, perhaps a UUID and keys. Undefined when the kernel refuses it. */
export function parseSyntheticUevent(
  text: string,
): { readonly action: string; readonly keys: readonly (readonly [string, string])[] } | undefined {
  const [action = "", uuid, ...rest] = text.replace(/\n$/, "").split(" ");
  if (!actions.includes(action)) return undefined;
  if (uuid === undefined || uuid === "") return { action, keys: [["SYNTH_UUID", "0"]] };
  if (!/^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/.test(uuid)) return undefined;
  const keys: [string, string][] = [["SYNTH_UUID", uuid.toLowerCase()]];
  for (const argument of rest.filter((word) => word !== "")) {
    const [, key, value] = /^([0-9a-zA-Z]+)=([0-9a-zA-Z]*)$/.exec(argument) ?? [];
    if (key === undefined || value === undefined) return undefined;
    keys.push([`SYNTH_ARG_${key}`, value]);
  }
  return { action, keys };
}
