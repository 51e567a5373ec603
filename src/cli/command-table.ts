import type { Command } from "./command.ts";

/** Every command, loaded when it is used: starting one must not cost the others. */
export const commandTable: Readonly<Record<string, () => Promise<Command>>> = {
  up: async () => (await import("./commands/up.ts")).up,
  down: async () => (await import("./commands/down.ts")).down,
  hosts: async () => (await import("./commands/hosts.ts")).hosts,
  exec: async () => (await import("./commands/exec.ts")).exec,
  shell: async () => (await import("./commands/shell.ts")).shell,
  console: async () => (await import("./commands/console.ts")).console,
  guests: async () => (await import("./commands/guests.ts")).guests,
  log: async () => (await import("./commands/log.ts")).log,
  root: async () => (await import("./commands/root.ts")).root,
  read: async () => (await import("./commands/read.ts")).read,
  write: async () => (await import("./commands/write.ts")).write,
  list: async () => (await import("./commands/list.ts")).list,
  hw: async () => (await import("./commands/hw.ts")).hw,
  crypto: async () => (await import("./commands/crypto.ts")).crypto,
  dmesg: async () => (await import("./commands/dmesg.ts")).dmesg,
  events: async () => (await import("./commands/events.ts")).events,
  migrate: async () => (await import("./commands/migrate.ts")).migrate,
  record: async () => (await import("./commands/record.ts")).record,
  replay: async () => (await import("./commands/replay.ts")).replay,
  tools: async () => (await import("./commands/tools.ts")).tools,
  guest: async () => (await import("./commands/guest.ts")).guest,
  doctor: async () => (await import("./commands/doctor.ts")).doctor,
};
