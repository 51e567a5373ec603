import { QemuError } from "../qemu-error.ts";
import type { Migration } from "./migration.ts";

/** In the order in which QEMU 10.2.2 lists them. Source: qapi/migration.json. */
export const migrationCapabilities = [
  "xbzrle",
  "rdma-pin-all",
  "auto-converge",
  "events",
  "postcopy-ram",
  "x-colo",
  "release-ram",
  "return-path",
  "pause-before-switchover",
  "multifd",
  "dirty-bitmaps",
  "postcopy-blocktime",
  "late-block-activate",
  "x-ignore-shared",
  "validate-uuid",
  "background-snapshot",
  "zero-copy-send",
  "postcopy-preempt",
  "switchover-ack",
  "dirty-limit",
  "mapped-ram",
] as const;

/** What query-migrate-parameters says before anybody sets one. */
export const migrationParameterDefaults = {
  "announce-initial": 50,
  "announce-max": 550,
  "announce-rounds": 5,
  "announce-step": 100,
  "throttle-trigger-threshold": 50,
  "cpu-throttle-initial": 20,
  "cpu-throttle-increment": 10,
  "cpu-throttle-tailslow": false,
  "tls-creds": "",
  "tls-hostname": "",
  "tls-authz": "",
  "max-bandwidth": 128 << 20,
  "avail-switchover-bandwidth": 0,
  "downtime-limit": 300,
  "x-checkpoint-delay": 20_000,
  "multifd-channels": 2,
  "xbzrle-cache-size": 64 << 20,
  "max-postcopy-bandwidth": 0,
  "max-cpu-throttle": 99,
  "multifd-compression": "none",
  "multifd-zlib-level": 1,
  "multifd-zstd-level": 1,
  "x-vcpu-dirty-limit-period": 1000,
  "vcpu-dirty-limit": 1,
  mode: "normal",
  "zero-page-detection": "multifd",
  "direct-io": false,
} as const;

/** Of those that take one of some words. */
export const migrationParameterChoices: Readonly<Partial<Record<string, readonly string[]>>> = {
  mode: ["normal", "cpr-reboot", "cpr-transfer", "cpr-exec"],
  "multifd-compression": ["none", "zlib", "zstd"],
  "zero-page-detection": ["none", "legacy", "multifd"],
};

const largestDowntimeLimitMs = 2_000_000;

/** QemuError. Source: migrate_params_check of QEMU 10.2.2's migration/options.c, of what has an effect here. */
export function setParameters(migration: Migration, wanted: Readonly<Record<string, unknown>>): void {
  const downtime = wanted["downtime-limit"];
  if (typeof downtime === "number" && (downtime < 0 || downtime > largestDowntimeLimitMs)) {
    throw new QemuError(`Parameter 'downtime_limit' expects an integer in the range of 0 to ${largestDowntimeLimitMs} milliseconds`);
  }
  Object.assign(migration.parameters, wanted);
}

/** What is refused of them together with others, or here at all. Source: migrate_caps_check of QEMU 10.2.2's migration/options.c. */
const needs: readonly (readonly [capability: string, needed: string, text: string])[] = [
  ["postcopy-preempt", "postcopy-ram", "Postcopy preempt requires postcopy-ram"],
  ["switchover-ack", "return-path", "Capability 'switchover-ack' requires capability 'return-path'"],
];

/** All of them, or none. QemuError. */
export function setCapabilities(migration: Migration, wanted: ReadonlyMap<string, boolean>): void {
  if (migration.isLeaving) throw new QemuError("There's a migration process in progress");
  const after = new Map([...migration.capabilities, ...wanted]);
  for (const [capability, needed, text] of needs) if (after.get(capability) && !after.get(needed)) throw new QemuError(text);
  for (const [name, isOn] of wanted) migration.capabilities.set(name, isOn);
}
