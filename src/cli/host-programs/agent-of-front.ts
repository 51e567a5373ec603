import { mkdirSync, readFileSync, readlinkSync } from "node:fs";
import { dirname } from "node:path";
import { agentPortName } from "../../guest/real/agent-protocol.ts";
import { AgentRelay } from "../../guest/real/agent-relay.ts";
import { guestAgentSocket, isSocketPath } from "../../host/places.ts";
import type { CommandLine } from "../../qemu/command-line/command-line.ts";
import type { StartedEmulator } from "../../qemu/start-emulator.ts";

/**
 * Lets the host's callers talk to the agent of a real guest that somebody started with a port for it, as libvirt's channel of that name is one:
 * for as long as the guest is there.
 */
export async function relayAgent({ commandLine, emulator }: StartedEmulator, controlSocket: string): Promise<void> {
  const portSocket = commandLine.stock && agentPortSocket(commandLine);
  const callerSocket = guestAgentSocket(dirname(controlSocket), emulator.options.name);
  if (portSocket === undefined || !isSocketPath(callerSocket)) return;
  mkdirSync(dirname(callerSocket), { recursive: true, mode: 0o700 });
  const relay = new AgentRelay(portSocket, callerSocket);
  emulator.onEvent(({ event, data }) => event === "VSERPORT_CHANGE" && relay.agentChanged(data?.open === true));
  void emulator.ended.then(() => relay.close());
  await relay.listen();
}

/** Where a stock QEMU listens for who talks to the agent's port; undefined: the guest has none, or somebody else's end is connected already. */
function agentPortSocket({ devices, chardevs }: CommandLine): string | undefined {
  const port = devices.find(({ options }) => options.get("driver") === "virtserialport" && options.get("name") === agentPortName);
  const chardev = chardevs.find(({ record }) => record.id === port?.options.get("chardev"))?.record;
  if (chardev?.backend !== "socket" || chardev.options.get("server") !== "on") return undefined;
  const { options } = chardev;
  return options.get("path") ?? boundPath(Number(options.get("fd")));
}

/** The path of a listening socket that came as a descriptor. */
function boundPath(fd: number): string | undefined {
  const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${fd}`))?.[1];
  const line = readFileSync("/proc/net/unix", "utf8")
    .split("\n")
    .map((text) => text.trim().split(/\s+/))
    .find((words) => words[inodeColumn] === inode);
  return line?.slice(inodeColumn + 1).join(" ");
}

/** Of /proc/net/unix: Num, RefCount, Protocol, Flags, Type, St, Inode, Path. */
const inodeColumn = 6;
