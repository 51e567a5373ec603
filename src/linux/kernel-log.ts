/** The kernel's ring buffer: lines with a level, a sequence number and the time they were made. */
export const Level = { emergency: 0, alert: 1, critical: 2, error: 3, warning: 4, notice: 5, info: 6, debug: 7 } as const;

export interface LogLine {
  readonly sequence: number;
  /** Milliseconds since the start of this Linux. */
  readonly timeMs: number;
  readonly level: number;
  readonly text: string;
}

const ringLines = 8192;

export class KernelLog {
  #lines: LogLine[] = [];
  #sequence = 0;
  readonly #nowMs: () => number;
  readonly #listener: (line: LogLine) => void;

  constructor(nowMs: () => number, listener: (line: LogLine) => void = () => {}) {
    this.#nowMs = nowMs;
    this.#listener = listener;
  }

  write(level: number, text: string): void {
    const line: LogLine = { sequence: this.#sequence++, timeMs: this.#nowMs(), level, text };
    this.#lines.push(line);
    if (this.#lines.length > ringLines) this.#lines.shift();
    this.#listener(line);
  }

  get lines(): readonly LogLine[] {
    return this.#lines;
  }

  /** Lines from `sequence` on that are still in the buffer. */
  since(sequence: number): readonly LogLine[] {
    return this.#lines.filter((line) => line.sequence >= sequence);
  }

  get nextSequence(): number {
    return this.#sequence;
  }

  /** Goes on where another log was; nobody is told of its lines. */
  continueFrom(lines: readonly LogLine[], nextSequence: number): void {
    this.#lines = [...lines];
    this.#sequence = nextSequence;
  }
}
