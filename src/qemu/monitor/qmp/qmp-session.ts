import type { Chardev, ChardevFrontend } from "../../chardev/chardev.ts";
import type { EmulatorEvent } from "../../emulator.ts";
import { type JsonRequest, JsonRequests } from "../json/json-requests.ts";
import { jsonText, prettyJsonText } from "../json/json-text.ts";
import { qemuVersion } from "../qemu-version.ts";
import { qmpCommands } from "./command-table.ts";
import { type DispatchRules, dispatch, isOutOfBand } from "./dispatch.ts";
import { negotiation } from "./negotiation.ts";
import type { QmpContext } from "./qmp-command.ts";

/** Requests of one client that wait, with OOB: stops a client from queueing without end. QEMU's QMP_REQ_QUEUE_LEN_MAX. */
export const MAX_QUEUED_REQUESTS = 8;

/** Above this no request is looked at until the client has read answers: stops one that only asks. Events come all the same. */
export const MAX_UNREAD_BYTES = 256 << 10;

/**
 * One QMP monitor. It reads on only while it has room for requests, so whatever a client sends waits with the client; a client that goes
 * leaves a monitor as new. Commands run in turn with those of all other monitors.
 */
export class QmpSession implements ChardevFrontend {
  readonly #chardev: Chardev;
  readonly #context: QmpContext;
  readonly #isPretty: boolean;
  #requests = this.#newParser();
  #input: Uint8Array = new Uint8Array();
  #queue: JsonRequest[] = [];
  #isBusy = false;
  #isNegotiated = false;
  #isOobEnabled = false;
  /** Counts clients: an answer to one that is gone is dropped. */
  #client = 0;

  constructor(chardev: Chardev, context: QmpContext, options: { readonly isPretty: boolean }) {
    this.#chardev = chardev;
    this.#context = context;
    this.#isPretty = options.isPretty;
  }

  opened(): void {
    this.#client++;
    this.#isNegotiated = false;
    this.#isOobEnabled = false;
    this.#send({ QMP: { version: qemuVersion, capabilities: ["oob"] } });
  }

  received(bytes: Uint8Array): void {
    this.#input = this.#input.length === 0 ? bytes : Buffer.concat([this.#input, bytes]);
    this.#proceed();
  }

  drained(): void {
    this.#proceed();
  }

  closed(): void {
    this.#client++;
    this.#requests = this.#newParser();
    this.#input = new Uint8Array();
    this.#queue = [];
    this.#isNegotiated = false;
    this.#chardev.resume();
  }

  settled(): Promise<void> {
    return this.#context.emulator.exclusively(async () => {});
  }

  event({ event, data }: EmulatorEvent): void {
    if (!this.#isNegotiated) return;
    const now = this.#context.emulator.options.nowMs();
    const seconds = Math.floor(now / 1000);
    const microseconds = Math.floor((now - 1000 * seconds) * 1000);
    this.#send({ timestamp: { seconds, microseconds }, event, data });
  }

  #newParser(): JsonRequests {
    return new JsonRequests((request) => {
      if ("value" in request && isOutOfBand(request.value)) this.#answer(request, this.#client).catch(() => {});
      else this.#queue.push(request);
    });
  }

  #proceed(): void {
    const limit = this.#isOobEnabled ? MAX_QUEUED_REQUESTS : 1;
    const isClientBehind = this.#chardev.unsentBytes > MAX_UNREAD_BYTES;
    while (!isClientBehind && this.#queue.length < limit && (!this.#isBusy || this.#isOobEnabled) && this.#input.length > 0) {
      const taken = this.#requests.feed(this.#input);
      this.#input = this.#input.subarray(taken);
      this.#runNext();
    }
    this.#runNext();
    if (this.#input.length > 0 || isClientBehind || (this.#isBusy && !this.#isOobEnabled)) this.#chardev.pause();
    else this.#chardev.resume();
  }

  #runNext(): void {
    if (this.#isBusy) return;
    const request = this.#queue.shift();
    if (!request) return;
    this.#isBusy = true;
    const client = this.#client;
    this.#context.emulator
      .exclusively(() => this.#answer(request, client))
      .catch(() => {})
      .finally(() => {
        this.#isBusy = false;
        this.#proceed();
      });
  }

  async #answer(request: JsonRequest, client: number): Promise<void> {
    // What a client asked that is gone is not done for the next one.
    if (client !== this.#client) return;
    const answer =
      "problem" in request
        ? { error: { class: "GenericError", desc: request.problem } }
        : await dispatch(request.value, this.#rules(), this.#context);
    if (client === this.#client) this.#send(this.#isNegotiated ? answer : negotiation.explained(answer));
  }

  #rules(): DispatchRules {
    if (this.#isNegotiated) return { commands: qmpCommands, isOobEnabled: this.#isOobEnabled, stock: this.#context.emulator.options.stock };
    const commands = negotiation.commands((enabled) => {
      this.#isNegotiated = true;
      this.#isOobEnabled = enabled.includes("oob");
    });
    return { commands, isOobEnabled: false };
  }

  #send(message: unknown): void {
    this.#chardev.write(`${this.#isPretty ? prettyJsonText(message) : jsonText(message)}\n`.replaceAll("\n", "\r\n"));
  }
}
