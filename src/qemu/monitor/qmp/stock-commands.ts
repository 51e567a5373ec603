import { absentCommands } from "../commands/absent-commands.ts";

/** Whether a command of a real guest is answered by the stock QEMU that has its devices. Without one they are all answered here. */
export const isForStock = (name: string, isKnownHere: boolean): boolean =>
  !isKnownHere || Object.hasOwn(absentCommands, name) || ofDevices.has(name);

/** Commands that this front knows, of things that it only has a picture of. */
const ofDevices: ReadonlySet<string> = new Set([
  "balloon",
  "inject-nmi",
  "query-balloon",
  "query-cpus-fast",
  "query-iothreads",
  "query-hotpluggable-cpus",
  "object-add",
  "object-del",
]);
