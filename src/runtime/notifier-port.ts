import type { MessagePort } from "node:worker_threads";
import type { Notifier } from "./device-channel.ts";
import { sharedWord } from "./shared-state.ts";
import type { Batch } from "./thread-messages.ts";

/** The model thread's end of the notifier thread. */
export class NotifierPort implements Notifier {
  constructor(
    private readonly port: MessagePort,
    private readonly shared: Int32Array<SharedArrayBuffer>,
  ) {}

  /** Whether all that was submitted has been sent. */
  get isIdle(): boolean {
    return Atomics.load(this.shared, sharedWord.submitted) === Atomics.load(this.shared, sharedWord.completed);
  }

  submit(batch: Batch): void {
    this.#post(batch);
  }

  /** The notifier thread ends after what was submitted before. */
  end(): void {
    this.#post(null);
    this.port.close();
  }

  #post(message: Batch | null): void {
    this.port.postMessage(message);
    Atomics.add(this.shared, sharedWord.submitted, 1);
    Atomics.notify(this.shared, sharedWord.submitted);
  }
}
