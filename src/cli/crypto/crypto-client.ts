import type { ControlClient } from "../../host/control-client.ts";
import { ControlRefusal } from "../../host/control-client.ts";
import { Refusal } from "../../host/control-protocol.ts";
import type { CryptoAnswer, CryptoCard } from "../../host/crypto-commands.ts";
import { errnoText } from "../../sysfs/errno-text.ts";

/** Requests to the cards of one Linux, or to one of its queues. */
export class CryptoClient {
  constructor(
    readonly client: ControlClient,
    private readonly target: { readonly guest: string | undefined; readonly queue: string | undefined },
  ) {}

  async rsa(kind: "power" | "crt", numbers: Readonly<Record<string, string>>): Promise<CryptoAnswer> {
    return (await this.#ask(kind, "RSA of this size", numbers)) as CryptoAnswer;
  }

  async random(): Promise<CryptoAnswer> {
    return (await this.#ask("random", "random numbers")) as CryptoAnswer;
  }

  async cards(): Promise<CryptoCard[]> {
    return (await this.#ask("cards", "")) as CryptoCard[];
  }

  /** The text of a file of a card or a queue, without its last newline. */
  async file(device: string, name: string): Promise<string> {
    const { guest } = this.target;
    const path = `/sys/bus/ap/devices/${device}/${name}`;
    return String(await this.client.request({ do: "read", path, ...(guest !== undefined && { guest }) })).replace(/\n$/, "");
  }

  async #ask(action: string, what: string, parameters: Readonly<Record<string, string>> = {}): Promise<unknown> {
    const { guest, queue } = this.target;
    const target = { ...(guest !== undefined && { guest }), ...(queue !== undefined && { queue }) };
    try {
      return await this.client.request({ do: "crypto", action, ...target, ...parameters });
    } catch (error) {
      if (error instanceof ControlRefusal && error.code.startsWith("E")) throw new Refusal(sentence(error.code, what, queue), error.code);
      throw error;
    }
  }
}

/** What zcrypt's errno says of a request. */
function sentence(code: string, what: string, queue: string | undefined): string {
  const errno = `${errnoText(code) ?? code} (${code})`;
  if (code === "ENODEV" && queue === undefined) return `no card that is online and configured does ${what}: ${errno}`;
  if (code === "ENODEV") return `queue ${queue} does not do ${what}, or is not online and configured: ${errno}`;
  if (code === "ENXIO") return `the guest is off: ${errno}`;
  if (code === "EIO") return `ten tries of ${what} failed: ${errno}`;
  return `${what}: ${errno}`;
}
