import type { HostOffer } from "../guest-port.ts";
import { QemuError } from "../qemu-error.ts";
import { type CpuModel, cpuTypeName, namedCpuModel, withFeature } from "./cpu-model.ts";

const switches: Readonly<Record<string, boolean>> = {
  on: true,
  yes: true,
  true: true,
  y: true,
  off: false,
  no: false,
  false: false,
  n: false,
};

/** Reads `-cpu MODEL,FEATURE=on|off…`. QemuError, with QEMU's text. */
export function cpuOption(text: string, offer: HostOffer): CpuModel {
  const [name = "", ...words] = text.split(",");
  const model = namedCpuModel(name, offer);
  if (!model) throw new QemuError(`unable to find CPU model '${name}'`);
  return words
    .filter((word) => word !== "")
    .map(featureWord)
    .reduce(apply, model);
}

function featureWord(word: string): { readonly name: string; readonly value: string } {
  const end = word.indexOf("=");
  if (end < 0) throw new QemuError(`Expected key=value format, found ${word}.`);
  return { name: word.slice(0, end), value: word.slice(end + 1) };
}

function apply(model: CpuModel, { name, value }: { readonly name: string; readonly value: string }): CpuModel {
  try {
    const isOn = switches[value];
    // A property that there is not is refused before its value is looked at.
    if (isOn === undefined) {
      withFeature(model, name, false);
      throw new QemuError(`Parameter '${name}' expects 'on' or 'off'`);
    }
    return withFeature(model, name, isOn);
  } catch (error) {
    if (!(error instanceof QemuError)) throw error;
    throw new QemuError(`can't apply global ${cpuTypeName(model.name)}.${name}=${value}: ${error.message}`);
  }
}
