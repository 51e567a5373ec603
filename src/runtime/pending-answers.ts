import { fromFailure } from "./failure.ts";
import type { Output } from "./thread-messages.ts";

/** Questions that the model has not answered yet, by number. */
export class PendingAnswers {
  readonly #waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  #lastId = 0;
  #end: Error | undefined;

  /** `send` gets the number that the answer must bear. */
  ask(send: (id: number) => void): Promise<unknown> {
    if (this.#end) return Promise.reject(this.#end);
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      send(id);
    });
  }

  take(output: Exclude<Output, { kind: "event" }>): void {
    const waiting = this.#waiting.get(output.id);
    this.#waiting.delete(output.id);
    if (output.kind === "answer") waiting?.resolve(output.value);
    else waiting?.reject(fromFailure(output.failure));
  }

  /** Rejects all, now and from now on. */
  end(error: Error): void {
    this.#end ??= error;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
