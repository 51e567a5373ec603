import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { GuestConsole } from "./guest-console.ts";

/** A terminal, or a pipe, as Node has them. */
class ToyInput extends PassThrough {
  readonly modes: boolean[] = [];
  readonly setRawMode: ((isRaw: boolean) => this) | undefined;

  constructor(readonly isTTY: boolean) {
    super();
    if (!isTTY) return;
    this.setRawMode = (isRaw) => {
      this.modes.push(isRaw);
      return this;
    };
  }
}

let folder: string;
let qemu: Server;
/** QEMU's end of the console. */
let line: Socket;
let typed: string;
let waiting: (() => void)[];
let output: PassThrough;
let shown: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "console-"));
  typed = "";
  shown = "";
  waiting = [];
  const wake = (): void => {
    for (const resolve of waiting.splice(0)) resolve();
  };
  qemu = createServer({ allowHalfOpen: false }, (socket) => {
    line = socket;
    socket.on("error", () => {});
    socket.on("data", (bytes) => {
      typed += bytes.toString("latin1");
      wake();
    });
    wake();
  });
  await new Promise<void>((resolve) => qemu.listen(join(folder, "console.sock"), resolve));
  output = new PassThrough();
  output.on("data", (bytes: Buffer) => {
    shown += bytes.toString("latin1");
    wake();
  });
});

afterEach(() => {
  vi.useRealTimers();
  line?.destroy();
  qemu.close();
  rmSync(folder, { recursive: true });
});

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise<void>((resolve) => waiting.push(resolve));
}

const open = () => GuestConsole.open(join(folder, "console.sock"), join(folder, "log"));

async function talking(input: ToyInput, log = ""): Promise<{ readonly ended: Promise<void> }> {
  writeFileSync(join(folder, "log"), log);
  const console = await open();
  const ended = console!.talk(input as unknown as NodeJS.ReadStream, output as unknown as NodeJS.WriteStream);
  await until(() => line !== undefined && !line.destroyed);
  return { ended };
}

describe("the console of a guest", () => {
  test("is none where nobody listens", async () => {
    expect(await GuestConsole.open(join(folder, "nothing"), join(folder, "log"))).toBeUndefined();
  });

  test("shows what the guest writes and gives it what is typed, until Ctrl-]", async () => {
    const input = new ToyInput(true);
    const { ended } = await talking(input);
    line.write("login: ");
    await until(() => shown === "login: ");
    input.write("root\r\x03");
    await until(() => typed === "root\r\x03");
    input.write("ls\x1dnever");
    await ended;
    await until(() => typed.endsWith("ls"));
    expect(typed).toBe("root\r\x03ls");
    expect(shown).toBe("login: \r\n");
    expect(input.destroyed).toBe(true);
  });

  test("has the terminal raw while it talks, and no longer", async () => {
    const input = new ToyInput(true);
    const { ended } = await talking(input);
    expect(input.modes).toEqual([true]);
    input.write("\x1d");
    await ended;
    expect(input.modes).toEqual([true, false]);
  });

  test("ends with the guest", async () => {
    const input = new ToyInput(true);
    const { ended } = await talking(input);
    line.end("Power down.\r\n");
    await ended;
    expect(shown).toBe("Power down.\r\n\r\n");
    expect(input.modes).toEqual([true, false]);
  });

  test("ends with a guest that is killed", async () => {
    const { ended } = await talking(new ToyInput(true));
    line.destroy();
    await ended;
  });
});

describe("what a console showed before", () => {
  const shownBefore = async (log: string): Promise<string> => {
    const input = new ToyInput(true);
    const { ended } = await talking(input, log);
    input.write("\x1d");
    await ended;
    return shown.slice(0, -2);
  };

  test("is shown first", async () => {
    expect(await shownBefore("boot\r\nlogin: ")).toBe("boot\r\nlogin: ");
  });

  test("is about a screen of it, from the start of a line", async () => {
    const lines = Array.from({ length: 500 }, (_, index) => `line ${index}\r\n`).join("");
    const text = await shownBefore(lines);
    expect(lines.endsWith(text)).toBe(true);
    expect(text).toMatch(/^line \d+\r\n/);
    expect(text.length).toBeGreaterThan(2000);
    expect(text.length).toBeLessThanOrEqual(2048);
  });

  test("is nothing where nothing was kept", async () => {
    const input = new ToyInput(true);
    const console = await open();
    const ended = console!.talk(input as unknown as NodeJS.ReadStream, output as unknown as NodeJS.WriteStream);
    input.write("\x1d");
    await ended;
    expect(shown).toBe("\r\n");
  });
});

describe("a console whose input is no terminal", () => {
  test("takes Ctrl-] for a character like others", async () => {
    const input = new ToyInput(false);
    const { ended } = await talking(input);
    input.write("a\x1db");
    await until(() => typed === "a\x1db");
    line.end();
    await ended;
  });

  test("waits for answers after the end of the input, until the guest is silent for a second", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const input = new ToyInput(false);
    const { ended } = await talking(input);
    let hasEnded = false;
    void ended.then(() => {
      hasEnded = true;
    });
    const inputEnded = new Promise<void>((resolve) => input.once("end", resolve));
    input.end("lszcrypt\n");
    await inputEnded;
    await until(() => typed === "lszcrypt\n");
    vi.advanceTimersByTime(999);
    line.write("CARD.DOM");
    await until(() => shown === "CARD.DOM");
    vi.advanceTimersByTime(999);
    line.write(" TYPE");
    await until(() => shown === "CARD.DOM TYPE");
    // Would not come through a line that was closed meanwhile.
    line.write(" MODE");
    await until(() => shown === "CARD.DOM TYPE MODE");
    line.write(".");
    await until(() => shown === "CARD.DOM TYPE MODE.");
    expect(hasEnded).toBe(false);
    vi.advanceTimersByTime(1000);
    await ended;
    expect(shown).toBe("CARD.DOM TYPE MODE.\r\n");
  });
});
