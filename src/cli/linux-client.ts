import type { ControlClient } from "../host/control-client.ts";
import type { SystemDescription } from "../host/guest-registry.ts";

type Question = "read" | "write" | "list" | "dmesg" | "modules" | "module" | "modprobe" | "rmmod";

/** Questions to one Linux over the control socket: the host's own, or a guest's. */
export class LinuxClient {
  constructor(
    readonly client: ControlClient,
    readonly guest: string | undefined,
  ) {}

  ask(question: Question, parameters: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    return this.client.request({ do: question, ...parameters, ...(this.guest !== undefined && { guest: this.guest }) });
  }

  async describe(): Promise<SystemDescription> {
    return this.#ask(false);
  }

  /** Also makes the namespaces that a program can enter, if they are not there yet. */
  async describeToEnter(): Promise<SystemDescription> {
    return this.#ask(true);
  }

  async #ask(enters: boolean): Promise<SystemDescription> {
    const request = this.guest === undefined ? { do: "host" } : { do: "guest-system", guest: this.guest, enters };
    return (await this.client.request(request)) as SystemDescription;
  }
}
