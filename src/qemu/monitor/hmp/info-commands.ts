import { deviceHelp } from "../../command-line/help-texts.ts";
import { balloonBytes } from "../balloon.ts";
import { hotpluggableCpus, memoryBytes, processors } from "../processor-queries.ts";
import { qemuVersionText } from "../qemu-version.ts";
import type { HumanCommand, HumanContext } from "./human-command.ts";
import { infoMigrate } from "./info-migrate.ts";
import { infoQomTree } from "./info-qom-tree.ts";
import { infoQtree } from "./info-qtree.ts";
import { infoMigrateParameters } from "./migration-parameters.ts";

const info = (name: string, help: string, run: (context: HumanContext) => string | Promise<string>): HumanCommand => ({
  name,
  parameters: "",
  help,
  run,
});
const onOff = (isOn: boolean): string => (isOn ? "on" : "off");
const nothing = (): string => "";

/** What `info` tells. */
export const infoCommands: readonly HumanCommand[] = [
  info("balloon", "the guest's balloon", ({ emulator }) => `balloon: actual=${balloonBytes(emulator) / 2 ** 20}\n`),
  info("block", "block devices", nothing),
  info("chardev", "character devices", ({ state }) =>
    lines([...state.chardevs.values()].map(({ id, filename }) => `${id}: filename=${filename}`)),
  ),
  info("cpus", "the guest's processors", ({ emulator }) =>
    lines(processors(emulator).map((cpu, index) => `${index === 0 ? "*" : " "} CPU #${cpu["cpu-index"]}: thread_id=${cpu["thread-id"]}`)),
  ),
  info("dump", "the last dump of memory", () => "Status: none\n"),
  info("history", "what was typed before", ({ history }) => lines(history.map((line, index) => `${index}: '${line}'`))),
  info(
    "hotpluggable-cpus",
    "processors that are there or could be",
    ({ emulator }) => `Hotpluggable CPUs:\n${hotpluggableCpus(emulator).map(cpuText).join("")}`,
  ),
  info("iothreads", "I/O threads", nothing),
  info("kvm", "whether KVM is used", ({ emulator }) => `kvm support: ${emulator.options.accelerator === "tcg" ? "disabled" : "enabled"}\n`),
  info(
    "memory_size_summary",
    "the guest's memory in bytes",
    ({ emulator }) => `base memory: ${memoryBytes(emulator)}\nplugged memory: 0\n`,
  ),
  info("mice", "pointing devices", () => "No mouse devices connected\n"),
  info("migrate", "how far a migration is", infoMigrate),
  info("migrate_capabilities", "capabilities of migration", ({ state }) =>
    lines([...state.migration.capabilities].map(([name, isOn]) => `${name}: ${onOff(isOn)}`)),
  ),
  info("migrate_parameters", "parameters of migration", infoMigrateParameters),
  info("name", "the guest's name", ({ emulator }) => `${emulator.options.name}\n`),
  info("network", "network devices", nothing),
  info("numa", "NUMA nodes", () => "0 nodes\n"),
  info("pci", "PCI devices", nothing),
  info("qdm", "kinds of devices", () => `${deviceHelp()}\n`),
  {
    name: "qom-tree",
    parameters: "[path]",
    help: "the tree of objects below a path",
    arguments: [{ name: "path", kind: "word", isOptional: true }],
    run: ({ emulator }, { path }) => infoQomTree(emulator.objects, path ?? "/machine"),
  },
  info("qtree", "the tree of buses and devices", ({ emulator }) => infoQtree(emulator.machine.mainBus)),
  info("status", "whether the guest runs", ({ emulator: { runState } }) => {
    if (runState === "running") return "VM status: running\n";
    return `VM status: paused${runState === "paused" ? "" : ` (${runState})`}\n`;
  }),
  info("tpm", "TPM devices", nothing),
  info("uuid", "the guest's UUID", ({ emulator }) => `${emulator.uuid}\n`),
  info("version", "QEMU's version", () => `${qemuVersionText}\n`),
  info("vnc", "VNC servers", () => "None\n"),
];

const lines = (all: readonly string[]): string => all.map((line) => `${line}\n`).join("");

function cpuText(cpu: ReturnType<typeof hotpluggableCpus>[number]): string {
  const path = cpu["qom-path"];
  return lines([
    `  type: "${cpu.type}"`,
    `  vcpus_count: "${cpu["vcpus-count"]}"`,
    ...(path === undefined ? [] : [`  qom_path: "${path}"`]),
    "  CPUInstance Properties:",
    `    drawer-id: "${cpu.props["drawer-id"]}"`,
    `    book-id: "${cpu.props["book-id"]}"`,
    `    socket-id: "${cpu.props["socket-id"]}"`,
    `    core-id: "${cpu.props["core-id"]}"`,
  ]);
}
