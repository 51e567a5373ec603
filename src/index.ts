/** The library: hosts inside tests and programs. docs/library.md has examples. */
export type { AdapterDescription } from "./host/adapter-description.ts";
export { ConfigurationError } from "./host/configuration-error.ts";
export type { HostStatus } from "./host/host-status.ts";
export type { Guest, KernelLogLine } from "./host/library-guest.ts";
export { type Host, type StartOptions, startHost } from "./host/start-host.ts";
export type { ModelEvent } from "./runtime/model.ts";
export { Errno, type ErrnoName } from "./sysfs/errno.ts";
