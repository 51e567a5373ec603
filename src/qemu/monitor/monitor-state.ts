import type { Chardev } from "../chardev/chardev.ts";
import type { Emulator, EmulatorEvent } from "../emulator.ts";
import { Migration } from "./migration.ts";

/** What the monitors of one emulator share. */
export class MonitorState {
  readonly chardevs = new Map<string, Chardev>();
  readonly #listeners = new Set<(event: EmulatorEvent) => void>();
  readonly migration: Migration;

  constructor(emulator: Emulator) {
    this.migration = new Migration(emulator, (event) => this.emit(event));
    emulator.onEvent((event) => this.emit(event));
  }

  /** Hears of the emulator's events and of those that the monitors' own commands cause; the result ends that. */
  onEvent(listener: (event: EmulatorEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  emit(event: EmulatorEvent): void {
    for (const listener of [...this.#listeners]) listener(event);
  }
}

const states = new WeakMap<Emulator, MonitorState>();

export function monitorStateOf(emulator: Emulator): MonitorState {
  let state = states.get(emulator);
  if (!state) {
    state = new MonitorState(emulator);
    states.set(emulator, state);
  }
  return state;
}
