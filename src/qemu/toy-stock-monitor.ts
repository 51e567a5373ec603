import type { StockMonitor } from "./guest-port.ts";

type Event = { readonly event: string; readonly data?: Readonly<Record<string, unknown>> };

/** The monitor of a stock QEMU that says what a test wants, and writes down what it is asked. For tests. */
export class ToyStockMonitor implements StockMonitor {
  readonly commands: [command: string, values: Readonly<Record<string, unknown>>][] = [];
  /** What a command returns; an Error is what it fails with. */
  readonly answers = new Map<string, unknown>();
  #listener: (event: Event) => void = () => {};

  async execute(command: string, values: Readonly<Record<string, unknown>>): Promise<unknown> {
    this.commands.push([command, values]);
    const answer = this.answers.get(command) ?? {};
    if (answer instanceof Error) throw answer;
    return answer;
  }

  onEvent(listener: (event: Event) => void): void {
    this.#listener = listener;
  }

  tell(event: string, data?: Readonly<Record<string, unknown>>): void {
    this.#listener(data === undefined ? { event } : { event, data });
  }
}
