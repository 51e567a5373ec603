import { qciFlags } from "../../ap/qci.ts";
import { type AttributeTable, attributeTable, constant, readOnly, readWrite } from "../../sysfs/attribute.ts";
import { fail } from "../../sysfs/errno.ts";
import type { Generation } from "../generation.ts";
import { parseBoolean, parseUnsigned, scanInteger } from "../text/numbers.ts";
import type { ApBus } from "./ap-bus.ts";
import { changeMask } from "./change-mask.ts";

/** The files of /sys/bus/ap. Source: Linux drivers/s390/crypto/ap_bus.c. */
const maxPollTimeoutNs = 120_000_000_000n;
const scanSecondsRange = { least: 5, most: 120 } as const;

export function busAttributes(generation: Generation): AttributeTable<ApBus> {
  const since = generation.knowsConfiguration;
  return attributeTable<ApBus>(
    readWrite("ap_domain", (bus) => `${bus.defaultDomain}\n`, storeDefaultDomain),
    constant("ap_control_domain_mask", (bus) => (bus.hasQci ? `${bus.configuration.controlDomains}\n` : "not supported\n")),
    constant("ap_usage_domain_mask", (bus) => (bus.hasQci ? `${bus.configuration.usageDomains}\n` : "not supported\n")),
    since && constant("ap_adapter_mask", (bus) => (bus.hasQci ? `${bus.configuration.adapters}\n` : "not supported\n")),
    readWrite("config_time", (bus) => `${bus.scanSeconds}\n`, storeScanSeconds),
    readWrite(
      "poll_thread",
      (bus) => `${Number(bus.hasPollThread)}\n`,
      (bus, text) => {
        // With adapter interrupts there is nothing to poll for: starting the thread does nothing.
        bus.hasPollThread = parseBoolean(text, generation.acceptsTrueFalseLetters) && !bus.usesInterrupts;
        bus.directory.changed("poll_thread");
      },
    ),
    constant("ap_interrupts", (bus) => `${Number(bus.usesInterrupts)}\n`),
    readWrite("poll_timeout", (bus) => `${bus.pollTimeoutNs}\n`, storePollTimeout),
    constant("ap_max_domain_id", (bus) => `${bus.maxDomain}\n`),
    since && constant("ap_max_adapter_id", (bus) => `${bus.maxAdapter}\n`),
    readWrite(
      "apmask",
      (bus) => `${bus.masks.adapters}\n`,
      (bus, text) => bus.work.run(changeMask(bus, "adapters", text)),
    ),
    readWrite(
      "aqmask",
      (bus) => `${bus.masks.domains}\n`,
      (bus, text) => bus.work.run(changeMask(bus, "domains", text)),
    ),
    since &&
      readWrite(
        "scans",
        (bus) => `${bus.scanCount}\n`,
        (bus) => bus.forceScan(),
      ),
    since && readOnly("bindings", bindingsText),
    generation.hasBindingsCompleteCount && readOnly("bindings_complete_count", (bus) => `${bus.bindingsCompleteCount}\n`),
    generation.hasBusFeatures && readOnly("features", featuresText),
  );
}

function storeDefaultDomain(bus: ApBus, text: string): void {
  const domain = scanInteger(text, "prefix");
  if (domain < 0 || domain > bus.maxDomain || !bus.masks.domains.has(domain)) fail("EINVAL");
  bus.defaultDomain = domain;
  bus.directory.changed("ap_domain");
}

function storeScanSeconds(bus: ApBus, text: string): void {
  const seconds = scanInteger(text, 10);
  if (seconds < scanSecondsRange.least || seconds > scanSecondsRange.most) fail("EINVAL");
  bus.scanSeconds = seconds;
  bus.armScanTimer();
  bus.directory.changed("config_time");
}

function storePollTimeout(bus: ApBus, text: string): void {
  const nanoseconds = parseUnsigned(text);
  if (nanoseconds > maxPollTimeoutNs || (nanoseconds === 0n && !bus.generation.pollTimeoutMayBeZero)) fail("EINVAL");
  bus.pollTimeoutNs = nanoseconds;
  bus.directory.changed("poll_timeout");
}

function bindingsText(bus: ApBus): string {
  const { bound, all } = bus.bindings;
  return bound === all && bus.scanCount > 0 ? `${bound}/${all} (complete)\n` : `${bound}/${all}\n`;
}

/** A dash when the first word of the block is zero; nothing at all when there is a block but none of these bits. */
function featuresText(bus: ApBus): string {
  if (!bus.hasQci) return "-\n";
  const names = qciFlags.filter((flag) => bus.configuration[flag.field]).map((flag) => flag.name);
  return names.length > 0 ? `${names.join(" ")}\n` : "";
}
