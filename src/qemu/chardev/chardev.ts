/**
 * A character device: what a monitor talks through. It has at most one frontend and, however many clients knock, at most one peer. A peer
 * that goes away ends nothing but its own session; the next one is heard after it.
 */
export abstract class Chardev {
  #frontend: ChardevFrontend | undefined;

  constructor(
    /** Its name; query-chardev calls it label. */
    readonly id: string,
  ) {}

  /** As query-chardev describes what is at the other side. */
  abstract readonly filename: string;

  /** There is somebody to read what is written. */
  abstract readonly isConnected: boolean;

  /** Bytes that were written and not taken yet. */
  get unsentBytes(): number {
    return 0;
  }

  get hasFrontend(): boolean {
    return this.#frontend !== undefined;
  }

  /** The frontend hears `opened` at once if somebody is there already. */
  attach(frontend: ChardevFrontend): void {
    this.#frontend = frontend;
    if (this.isConnected) frontend.opened();
  }

  detach(): void {
    this.#frontend = undefined;
  }

  /** To nobody if nobody is there. */
  abstract write(text: string): void;

  /** Nothing is received until `resume`, nor is `closed` heard; what is on its way stays with the peer. */
  pause(): void {}

  resume(): void {}

  /** Takes everything away that it made: its socket's file too. */
  async close(): Promise<void> {
    await this.#frontend?.settled();
    this.detach();
    await this.release();
  }

  protected abstract release(): Promise<void>;

  protected get frontend(): ChardevFrontend | undefined {
    return this.#frontend;
  }
}

export interface ChardevFrontend {
  /** A peer is there. */
  opened(): void;
  received(bytes: Uint8Array): void;
  /** All that was written has been taken. */
  drained(): void;
  /** The peer is gone. */
  closed(): void;
  /** Resolves when what is being answered now has been answered; a character device closes after that. */
  settled(): Promise<void>;
}

/** A character device as the command line or chardev-add describes it. */
export interface ChardevRecord {
  readonly id: string;
  /** socket, stdio, null, file, pipe, ringbuf. */
  readonly backend: string;
  readonly options: ReadonlyMap<string, string>;
}

/** What character devices need of the process that they are in. */
export interface ChardevSurroundings {
  readonly stdin: NodeJS.ReadableStream & { setRawMode?(isRaw: boolean): unknown };
  readonly stdout: NodeJS.WritableStream;
  /** Calls back once, later; the result forgets it. */
  readonly after: (ms: number, act: () => void) => () => void;
  /** A line that QEMU has on its stderr, without the program's name. */
  readonly report: (line: string) => void;
}
