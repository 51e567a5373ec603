import { QemuError, type QemuErrorClass } from "../../qemu-error.ts";
import { command, type QmpCommand } from "../qmp/qmp-command.ts";
import { any, bool, int, listOf, object, oneOf, optional, str } from "../schema/schema-type.ts";

const refusal =
  (text: string, errorClass: QemuErrorClass = "GenericError") =>
  (): never => {
    throw new QemuError(text, errorClass);
  };
const none = (): [] => [];

/** What a guest here has none of: the answers of a QEMU to which nobody gave one. */
export const absentCommands = {
  "query-block": command({ returns: listOf(any), run: none }),
  "query-blockstats": command({ arguments: { "query-nodes": optional(bool) }, returns: listOf(any), run: none }),
  "query-named-block-nodes": command({ arguments: { flat: optional(bool) }, returns: listOf(any), run: none }),
  "query-block-jobs": command({ returns: listOf(any), run: none }),
  "query-jobs": command({ returns: listOf(any), run: none }),
  "query-block-exports": command({ returns: listOf(any), run: none }),
  "query-tpm": command({ returns: listOf(any), run: none }),
  "query-tpm-models": command({ returns: listOf(oneOf("tpm-tis", "tpm-crb", "tpm-spapr")), run: none }),
  "query-tpm-types": command({ returns: listOf(oneOf("passthrough", "emulator")), run: none }),
  "query-rx-filter": command({ arguments: { name: optional(str) }, returns: listOf(any), run: none }),
  "query-mice": command({ returns: listOf(any), run: none }),
  "query-pci": command({ returns: listOf(any), run: none }),
  "query-memory-devices": command({ returns: listOf(any), run: none }),
  "query-stats": command({
    arguments: { target: oneOf("vm", "vcpu", "cryptodev"), providers: optional(listOf(any)), vcpus: optional(listOf(str)) },
    returns: listOf(object({ provider: oneOf("kvm", "cryptodev"), "qom-path": optional(str), stats: listOf(any) })),
    run: none,
  }),
  "query-stats-schemas": command({
    arguments: { provider: optional(oneOf("kvm", "cryptodev")) },
    returns: listOf(object({ provider: oneOf("kvm", "cryptodev"), target: oneOf("vm", "vcpu", "cryptodev"), stats: listOf(any) })),
    run: none,
  }),
  "query-display-options": command({ returns: object({ type: oneOf("none") }), run: () => ({ type: "none" }) }),
  "query-vnc": command({ returns: object({ enabled: bool }), run: () => ({ enabled: false }) }),
  "query-vnc-servers": command({ returns: listOf(any), run: none }),
  "query-dump": command({
    returns: object({ status: oneOf("none", "active", "completed", "failed"), completed: int, total: int }),
    run: () => ({ status: "none", completed: 0, total: 0 }),
  }),
  "query-dump-guest-memory-capability": command({ returns: object({ formats: listOf(oneOf("elf")) }), run: () => ({ formats: ["elf"] }) }),
  "dump-guest-memory": command({
    arguments: {
      paging: bool,
      protocol: str,
      detach: optional(bool),
      begin: optional(int),
      length: optional(int),
      format: optional(oneOf("elf")),
    },
    run: refusal("A model guest has no memory that could be dumped"),
  }),
  screendump: command({
    arguments: { filename: str, device: optional(str), head: optional(int), format: optional(oneOf("ppm", "png")) },
    run: refusal("There is no console to take a screendump from"),
  }),
} satisfies Record<string, QmpCommand>;
