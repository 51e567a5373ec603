/** Bytes of a line; more are not taken. Stops a line without end. QEMU's READLINE_CMD_BUF_SIZE. */
export const MAX_LINE_BYTES = 4095;

/** Lines that are remembered. QEMU's READLINE_MAX_CMDS. */
export const MAX_HISTORY = 64;

/** What may stand at the end of a line: the part that is there already, and all that it could be. */
export interface Completions {
  readonly prefix: string;
  readonly words: readonly string[];
}

/**
 * The line editor of the human monitor: cursor, deletion, history, completion, echo by terminal sequences. A line is bytes, kept one a
 * character. Source of keys and sequences: QEMU 10.2.2 util/readline.c.
 */
export class Readline {
  readonly #write: (text: string) => void;
  readonly #complete: (line: string) => Completions;
  readonly #prompt: string;
  readonly #history: string[] = [];
  #historyAt: number | undefined;
  #line = "";
  #cursor = 0;
  #shownLine = "";
  #shownCursor = 0;
  #escape: "none" | "escape" | "csi" | "ss3" = "none";
  #parameter = "";

  constructor(options: {
    readonly prompt: string;
    readonly write: (text: string) => void;
    readonly complete: (line: string) => Completions;
  }) {
    this.#prompt = options.prompt;
    this.#write = options.write;
    this.#complete = options.complete;
  }

  get history(): readonly string[] {
    return this.#history.map(fromBytes);
  }

  showPrompt(): void {
    this.#write(this.#prompt);
    this.#shownLine = "";
    this.#shownCursor = 0;
    this.#escape = "none";
  }

  /** Forgets what was typed, not the history. */
  restart(): void {
    this.#set("");
    this.#historyAt = undefined;
    this.#escape = "none";
  }

  /** Takes one byte; the line that it ended, if it ended one. */
  take(byte: number): string | undefined {
    const ended = this.#escape === "none" ? this.#takeKey(byte) : this.#takeSequence(byte);
    this.#update();
    return ended;
  }

  #takeKey(byte: number): string | undefined {
    switch (byte) {
      case 1:
        this.#cursor = 0;
        return undefined;
      case 4:
        this.#deleteAt(this.#cursor);
        return undefined;
      case 5:
        this.#cursor = this.#line.length;
        return undefined;
      case 8:
      case 127:
        if (this.#cursor > 0) this.#deleteAt(--this.#cursor);
        return undefined;
      case 9:
        this.#completeLine();
        return undefined;
      case 10:
      case 13:
        return this.#end();
      case 14:
        this.#showNewer();
        return undefined;
      case 16:
        this.#showOlder();
        return undefined;
      case 23:
        this.#deleteWord();
        return undefined;
      case 27:
        this.#escape = "escape";
        return undefined;
      case 155:
        this.#escape = "csi";
        this.#parameter = "";
        return undefined;
    }
    if (byte >= 32) this.#insert(String.fromCharCode(byte));
    return undefined;
  }

  #takeSequence(byte: number): undefined {
    const character = String.fromCharCode(byte);
    const state = this.#escape;
    this.#escape = "none";
    if (state === "escape") {
      this.#parameter = "";
      if (character === "[") this.#escape = "csi";
      if (character === "O") this.#escape = "ss3";
    } else if (state === "ss3") {
      if (character === "F") this.#cursor = this.#line.length;
      if (character === "H") this.#cursor = 0;
    } else if (/\d/.test(character)) {
      // Two digits are all that means anything.
      this.#parameter = `${this.#parameter}${character}`.slice(0, 2);
      this.#escape = "csi";
    } else {
      this.#takeControl(character);
    }
    return undefined;
  }

  #takeControl(character: string): void {
    const key = character === "~" ? `${this.#parameter}~` : character;
    if (key === "A" || key === "F") this.#showOlder();
    if (key === "B" || key === "E") this.#showNewer();
    if (key === "C") this.#cursor = Math.min(this.#cursor + 1, this.#line.length);
    if (key === "D") this.#cursor = Math.max(this.#cursor - 1, 0);
    if (key === "1~") this.#cursor = 0;
    if (key === "3~") this.#deleteAt(this.#cursor);
    if (key === "4~") this.#cursor = this.#line.length;
  }

  #end(): string {
    const line = this.#line;
    this.#remember(line);
    this.#write("\n");
    this.#set("");
    this.#shownLine = "";
    this.#shownCursor = 0;
    return fromBytes(line);
  }

  #set(line: string): void {
    this.#line = line;
    this.#cursor = line.length;
  }

  #insert(text: string): void {
    if (this.#line.length + text.length > MAX_LINE_BYTES) return;
    this.#line = this.#line.slice(0, this.#cursor) + text + this.#line.slice(this.#cursor);
    this.#cursor += text.length;
  }

  #deleteAt(at: number): void {
    this.#line = this.#line.slice(0, at) + this.#line.slice(at + 1);
  }

  #deleteWord(): void {
    const start = this.#line.slice(0, this.#cursor).replace(/\S*\s*$/, "").length;
    this.#line = this.#line.slice(0, start) + this.#line.slice(this.#cursor);
    this.#cursor = start;
  }

  #remember(line: string): void {
    this.#historyAt = undefined;
    if (line === "") return;
    const known = this.#history.indexOf(line);
    if (known >= 0) this.#history.splice(known, 1);
    this.#history.push(line);
    if (this.#history.length > MAX_HISTORY) this.#history.shift();
  }

  #showOlder(): void {
    const at = (this.#historyAt ?? this.#history.length) - 1;
    const line = this.#history[at];
    if (line === undefined) return;
    this.#historyAt = at;
    this.#set(line);
  }

  #showNewer(): void {
    if (this.#historyAt === undefined) return;
    const line = this.#history[this.#historyAt + 1];
    this.#historyAt = line === undefined ? undefined : this.#historyAt + 1;
    this.#set(line ?? "");
  }

  #completeLine(): void {
    const { prefix, words } = this.#complete(fromBytes(this.#line.slice(0, this.#cursor)));
    const [first] = words;
    if (first === undefined) return;
    if (words.length === 1) return this.#insert(`${first.slice(prefix.length)} `);
    this.#insert(commonStart(words).slice(prefix.length));
    this.#write(`\n${columns(words)}`);
    this.showPrompt();
  }

  /** Writes the line anew when it has changed, and moves the cursor. */
  #update(): void {
    if (this.#line !== this.#shownLine) {
      this.#write(`${"\u001b[D".repeat(this.#shownCursor)}${fromBytes(this.#line)}\u001b[K`);
      this.#shownLine = this.#line;
      this.#shownCursor = this.#line.length;
    }
    const steps = this.#cursor - this.#shownCursor;
    if (steps !== 0) this.#write((steps > 0 ? "\u001b[C" : "\u001b[D").repeat(Math.abs(steps)));
    this.#shownCursor = this.#cursor;
  }
}

const fromBytes = (bytes: string): string => Buffer.from(bytes, "latin1").toString();

function commonStart(words: readonly string[]): string {
  let start = words[0] ?? "";
  for (const word of words) while (!word.startsWith(start)) start = start.slice(0, -1);
  return start;
}

function columns(words: readonly string[]): string {
  const width = Math.min(Math.max(...words.map((word) => word.length + 2), 10), 80);
  const inLine = Math.floor(80 / width);
  return words
    .map((word, index) => `${word.padEnd(width)}${(index + 1) % inLine === 0 || index === words.length - 1 ? "\n" : ""}`)
    .join("");
}
