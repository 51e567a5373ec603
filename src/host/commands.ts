import * as v from "valibot";
import { apqnName } from "../ap/apqn.ts";
import { Modes } from "../ap/queue-info.ts";
import { generation } from "../linux/generation.ts";
import type { Linux } from "../linux/linux.ts";
import { zcryptCardOf } from "../linux/zcrypt/zcrypt-attributes.ts";
import { adapterProfileName } from "../machine/adapter-profile.ts";
import { Errno, fail } from "../sysfs/errno.ts";
import type { Wait } from "../sysfs/wait.ts";
import { absentGuest } from "./absent-guest.ts";
import { Refusal } from "./control-protocol.ts";
import { cryptoCommand, runCryptoCommand } from "./crypto-commands.ts";
import { guestCommand, runGuestCommand } from "./guest-commands.ts";
import type { Host } from "./host.ts";
import { keyCommand, runKeyCommand } from "./key-commands.ts";
import { loopCommand, runLoopCommand } from "./loop-commands.ts";
import { factsCommand, migrationFacts } from "./migration-facts.ts";
import { holdCommand, runHoldCommand } from "./migration-hold.ts";

/**
 * What a control client can ask of a host, each a JSON object with `do`. Changes of a Linux go through its files; what only the HMC or a
 * hypervisor can do has commands of its own. Refusals are Errno.
 */
const id = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(255));

const profile = v.object({
  type: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(255)),
  mode: v.picklist(Modes),
  functions: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(0xffffffff)),
  depth: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(16)),
  messageLimit: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(15)),
  maxDomain: id,
});

const hardware = v.variant("action", [
  v.object({ do: v.literal("hw"), action: v.literal("show") }),
  v.object({ do: v.literal("hw"), action: v.literal("card add"), id, profile }),
  v.object({ do: v.literal("hw"), action: v.picklist(["card remove", "card configure", "card deconfigure"]), id }),
  v.object({ do: v.literal("hw"), action: v.literal("card checkstop"), id, on: v.boolean() }),
  v.object({
    do: v.literal("hw"),
    action: v.picklist(["usage-domain add", "usage-domain remove", "control-domain add", "control-domain remove"]),
    id,
  }),
]);

/** Whose Linux; without it the host's. */
const guest = v.optional(v.string());

const request = v.variant("do", [
  hardware,
  v.object({ do: v.literal("read"), path: v.string(), guest }),
  v.object({ do: v.literal("write"), path: v.string(), data: v.string(), guest }),
  v.object({ do: v.literal("list"), path: v.string(), guest }),
  v.object({ do: v.literal("dmesg"), guest }),
  v.object({ do: v.literal("modules"), guest }),
  v.object({ do: v.literal("module"), name: v.string(), guest }),
  v.object({ do: v.literal("modprobe"), name: v.string(), guest }),
  v.object({ do: v.literal("rmmod"), name: v.string(), guest }),
  v.object({ do: v.literal("status") }),
  v.object({ do: v.literal("settle") }),
  guestCommand,
  cryptoCommand,
  loopCommand,
  keyCommand,
  factsCommand,
  holdCommand,
]);

/** A request that the host does not understand: the client's mistake. */
export class BadRequest extends Error {
  readonly code = "bad-request";
}

export function runCommand(host: Host, input: unknown): unknown | Wait<unknown> {
  const parsed = v.safeParse(request, input);
  if (!parsed.success) throw new BadRequest(`not a command of a host: ${parsed.issues.map(issueText).join("; ")}`);
  const command = parsed.output;
  switch (command.do) {
    case "read":
      return host.read(command.path, linuxOf(host, command.guest));
    case "write":
      return host.write(command.path, command.data, linuxOf(host, command.guest));
    case "list":
      return host.list(command.path, linuxOf(host, command.guest));
    case "dmesg":
      return linuxOf(host, command.guest).log.lines;
    case "modules":
      return linuxOf(host, command.guest).modules.modules;
    case "module":
      return moduleState(linuxOf(host, command.guest), command.name);
    case "modprobe":
      return linuxOf(host, command.guest).modprobe(command.name);
    case "rmmod":
      return linuxOf(host, command.guest).rmmod(command.name);
    case "status":
      return status(host);
    case "settle":
      return host.settle();
    case "guest":
      return runGuestCommand(host, command);
    case "crypto":
      return runCryptoCommand(host, linuxOf(host, command.guest), command);
    case "loop":
      return runLoopCommand(host, command);
    case "hw":
      return changeHardware(host, command);
    case "key":
      return runKeyCommand(host, command);
    case "migration-facts":
      return migrationFacts(host, command.about);
    case "migration-hold":
      return runHoldCommand(host, command);
  }
}

/** `action: expected "show" | …, received "boom"`. */
function issueText({ path, expected, received, message }: v.BaseIssue<unknown>): string {
  const where = path?.map(({ key }) => String(key)).join(".");
  const isMissing = path?.at(-1)?.origin === "key";
  const what = isMissing ? "missing" : expected === null ? message : `expected ${expected}, received ${received}`;
  return where === undefined ? what : `${where}: ${what}`;
}

function changeHardware({ machine }: Host, command: v.InferOutput<typeof hardware>): unknown {
  if (command.action === "show") return hardwareStatus(machine);
  const { maxAdapter, maxDomain } = machine.profile;
  const isDomain = command.action.includes("domain");
  if (command.id > (isDomain ? maxDomain : maxAdapter)) throw new Errno("ENODEV");
  if (command.action !== "card add" && !isDomain && command.action !== "card checkstop" && !machine.adapters.has(command.id)) {
    throw new Errno("ENODEV");
  }
  switch (command.action) {
    case "card add":
      return machine.addAdapter(command.id, command.profile);
    case "card remove":
      return machine.removeAdapter(command.id);
    case "card configure":
      return machine.setConfigured(command.id, true);
    case "card deconfigure":
      return machine.setConfigured(command.id, false);
    case "card checkstop":
      return machine.setCheckstop(command.id, command.on);
    case "usage-domain add":
      return machine.setUsageDomain(command.id, true);
    case "usage-domain remove":
      return machine.setUsageDomain(command.id, false);
    case "control-domain add":
      return machine.setControlDomain(command.id, true);
    case "control-domain remove":
      return machine.setControlDomain(command.id, false);
  }
}

/** Refusal: no such guest, or a real one. ENXIO: it has no Linux at the moment. */
function linuxOf(host: Host, name: string | undefined): Linux {
  if (name === undefined) return host.linux;
  const guest = host.guests.get(name);
  if (!guest) throw absentGuest(name, host.guests.keys());
  if (guest.kind === "real") {
    throw new Refusal(`guest ${name} runs a Linux of its own: adjunct exec ${host.name} --guest ${name} -- CMD runs a program in it`);
  }
  return guest.model?.linux ?? fail("ENXIO");
}

/** ENOENT: there is no such module. */
function moduleState({ modules }: Linux, name: string): "loaded" | "not loaded" {
  if (modules.isLoaded(name)) return "loaded";
  return modules.isKnown(name) ? "not loaded" : fail("ENOENT");
}

function hardwareStatus(machine: Host["machine"]): unknown {
  return {
    profile: machine.profile,
    adapters: [...machine.adapters].map(([adapter, state]) => ({
      id: adapter,
      name: adapterProfileName(state.profile),
      ...state,
    })),
    usageDomains: [...machine.domains.usage],
    controlDomains: [...machine.domains.control],
  };
}

function status(host: Host): unknown {
  const { linux } = host;
  return {
    name: host.name,
    kernel: linux.generation.name,
    adapters: [...linux.bus.cards.values()].map((card) => ({
      id: card.id,
      type: zcryptCardOf.get(card)?.typeName,
      isConfigured: card.isConfigured,
      isCheckstopped: card.isCheckstopped,
      functions: card.info.functions,
      queues: [...card.queues.values()].map((queue) => ({
        name: queue.name,
        driver: queue.driver?.name,
        status: queue.driver?.name === "vfio_ap" ? linux.vfioAp?.statusText(queue).trim() : undefined,
      })),
    })),
    mdevs: (linux.vfioAp?.matrixMdevs ?? []).reverse().map(({ uuid, matrix, guestMatrix, mdev }) => ({
      uuid,
      matrix: pairs(matrix.adapters, matrix.usageDomains),
      guestMatrix: pairs(guestMatrix.adapters, guestMatrix.usageDomains),
      controlDomains: [...matrix.controlDomains],
      inUse: mdev.isInUse,
    })),
    guests: [...host.guests.values()].map(({ name, vm, model, isRunning, mdev }) => ({
      name,
      isRunning,
      bootId: model?.bootId,
      release: model && generation(model.kernel).release,
      mdev: mdev?.uuid,
      apqns: pairs(vm.masks.adapters, vm.masks.usageDomains),
      controlDomains: [...vm.masks.controlDomains],
    })),
  };
}

const pairs = (adapters: Iterable<number>, domains: Iterable<number>): string[] => {
  const all = [...domains];
  return [...adapters].flatMap((adapter) => all.map((domain) => apqnName((adapter << 8) | domain)));
};
