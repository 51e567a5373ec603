import { baselineCpuModel, type CpuModelInfo, compareCpuModels, cpuDefinitions, expandCpuModel } from "../../cpu/cpu-queries.ts";
import { machineTypes } from "../../objects/machine-types.ts";
import { QemuError } from "../../qemu-error.ts";
import { askBalloon, balloonBytes } from "../balloon.ts";
import { hotpluggableCpus, memoryBytes, processors } from "../processor-queries.ts";
import { command, type QmpCommand } from "../qmp/qmp-command.ts";
import { any, bool, int, listOf, object, oneOf, optional, str } from "../schema/schema-type.ts";
import { commandLineOptions } from "./command-line-options.ts";

const cpuModel = object({ name: str, props: optional(any) });
const cpuProps = object({
  "core-id": optional(int),
  "socket-id": optional(int),
  "book-id": optional(int),
  "drawer-id": optional(int),
});

/** What the machine is and is made of. */
export const machineCommands = {
  "query-name": command({ returns: object({ name: optional(str) }), run: ({ emulator }) => ({ name: emulator.options.name }) }),
  "query-uuid": command({
    returns: object({ UUID: str }),
    run: ({ emulator }) => ({ UUID: emulator.uuid }),
  }),
  "query-kvm": command({
    returns: object({ enabled: bool, present: bool }),
    run: ({ emulator }) => ({ enabled: emulator.options.accelerator !== "tcg", present: true }),
  }),
  "query-balloon": command({ returns: object({ actual: int }), run: ({ emulator }) => ({ actual: balloonBytes(emulator) }) }),
  balloon: command({ arguments: { value: int }, run: ({ emulator }, { value }) => askBalloon(emulator, value) }),
  "query-target": command({ returns: object({ arch: oneOf("s390x") }), run: () => ({ arch: "s390x" }) }),
  "query-machines": command({
    arguments: { "compat-props": optional(bool) },
    returns: listOf(
      object({
        name: str,
        alias: optional(str),
        "is-default": optional(bool),
        "cpu-max": int,
        "hotpluggable-cpus": bool,
        "numa-mem-supported": bool,
        deprecated: bool,
        "default-cpu-type": optional(str),
        "default-ram-id": optional(str),
        acpi: bool,
        "compat-props": optional(listOf(object({ "qom-type": str, property: str, value: str }))),
      }),
    ),
    run: ({ emulator }, { "compat-props": wantsCompatProps }) => {
      // Source: QEMU 10.2.2 target/s390x/kvm/kvm.c, ccw_machine_class_foreach.
      const cpuType = emulator.options.accelerator === "tcg" ? "qemu-s390x-cpu" : "host-s390x-cpu";
      return [...machineTypes].reverse().map((type) => machineInfo(type, { cpuType, wantsCompatProps: wantsCompatProps ?? false }));
    },
  }),
  "query-cpu-definitions": command({
    returns: listOf(
      object({
        name: str,
        "migration-safe": optional(bool),
        static: bool,
        "unavailable-features": optional(listOf(str)),
        typename: str,
        "alias-of": optional(str),
        deprecated: bool,
      }),
    ),
    run: ({ emulator }) => cpuDefinitions(emulator.options.port.offer),
  }),
  "query-cpu-model-expansion": command({
    arguments: { type: oneOf("static", "full"), model: cpuModel },
    returns: object({ model: cpuModel, "deprecated-props": optional(listOf(str)) }),
    run: ({ emulator }, { type, model }) => expandCpuModel(emulator.options.port.offer, type, modelInfo(model)),
  }),
  "query-cpu-model-baseline": command({
    arguments: { modela: cpuModel, modelb: cpuModel },
    returns: object({ model: cpuModel }),
    run: ({ emulator }, { modela, modelb }) => baselineCpuModel(emulator.options.port.offer, modelInfo(modela), modelInfo(modelb)),
  }),
  "query-cpu-model-comparison": command({
    arguments: { modela: cpuModel, modelb: cpuModel },
    returns: object({ result: oneOf("incompatible", "identical", "superset", "subset"), "responsible-properties": listOf(str) }),
    run: ({ emulator }, { modela, modelb }) => compareCpuModels(emulator.options.port.offer, modelInfo(modela), modelInfo(modelb)),
  }),
  "query-cpus-fast": command({
    returns: listOf({
      kind: "union",
      tag: "target",
      base: { "cpu-index": int, "qom-path": str, "thread-id": int, props: optional(cpuProps) },
      variants: {
        s390x: object({
          "cpu-state": oneOf("uninitialized", "stopped", "check-stop", "operating", "load"),
          dedicated: optional(bool),
          entitlement: optional(oneOf("auto", "low", "medium", "high")),
        }),
      },
    }),
    run: ({ emulator }) => processors(emulator),
  }),
  "query-hotpluggable-cpus": command({
    returns: listOf(object({ type: str, "vcpus-count": int, props: cpuProps, "qom-path": optional(str) })),
    run: ({ emulator }) => hotpluggableCpus(emulator),
  }),
  "query-memory-size-summary": command({
    returns: object({ "base-memory": int, "plugged-memory": optional(int) }),
    run: ({ emulator }) => ({ "base-memory": memoryBytes(emulator), "plugged-memory": 0 }),
  }),
  "query-memdev": command({
    returns: listOf(
      object({
        id: optional(str),
        size: int,
        merge: bool,
        dump: bool,
        prealloc: bool,
        share: bool,
        reserve: optional(bool),
        "host-nodes": listOf(int),
        policy: str,
      }),
    ),
    run: ({ emulator }) =>
      [...emulator.machine.userObjects.children]
        .filter(([, { type }]) => type.startsWith("memory-backend-"))
        .map(([id, { values }]) => ({ ...memoryBackend, id, size: values.get("size") ?? 0 })),
  }),
  "query-iothreads": command({
    returns: listOf(object({ id: str, "thread-id": int, "poll-max-ns": int, "poll-grow": int, "poll-shrink": int, "aio-max-batch": int })),
    run: ({ emulator }) =>
      [...emulator.machine.userObjects.children]
        .filter(([, { type }]) => type === "iothread")
        .map(([id]) => ({ id, "thread-id": process.pid, "poll-max-ns": 32768, "poll-grow": 0, "poll-shrink": 0, "aio-max-batch": 0 })),
  }),
  "query-command-line-options": command({
    arguments: { option: optional(str) },
    returns: listOf(
      object({
        option: str,
        parameters: listOf(
          object({ name: str, type: oneOf("string", "boolean", "number", "size"), help: optional(str), default: optional(str) }),
        ),
      }),
    ),
    run: (_context, { option }) => {
      const found = commandLineOptions.filter(({ option: name }) => option === undefined || name === option);
      if (found.length === 0) throw new QemuError(`invalid option name: ${option}`);
      return found;
    },
  }),
} satisfies Record<string, QmpCommand>;

const memoryBackend = { merge: true, dump: true, prealloc: false, share: false, reserve: true, "host-nodes": [], policy: "default" };

const modelInfo = ({ name, props }: { name: string; props: unknown }): CpuModelInfo => {
  if (props === undefined) return { name };
  if (typeof props !== "object" || props === null || Array.isArray(props)) {
    throw new QemuError("Invalid parameter type for 'model.props', expected: object");
  }
  return { name, props: props as Record<string, unknown> };
};

function machineInfo(
  type: (typeof machineTypes)[number],
  { cpuType, wantsCompatProps }: { readonly cpuType: string; readonly wantsCompatProps: boolean },
) {
  const isEmpty = type.isEmpty === true;
  return {
    name: type.name,
    alias: type.alias,
    "is-default": type.isDefault,
    "cpu-max": type.maxCpus,
    "hotpluggable-cpus": !isEmpty,
    "numa-mem-supported": false,
    deprecated: type.isDeprecated ?? false,
    ...(!isEmpty && { "default-cpu-type": cpuType, "default-ram-id": "s390.ram" }),
    acpi: false,
    ...(wantsCompatProps && { "compat-props": [] }),
  };
}
