import { type AttributeTable, attributeTable, constant, readOnly, readWrite, writeOnly } from "../sysfs/attribute.ts";
import { type ErrnoName, errnoNumbers, fail } from "../sysfs/errno.ts";
import { Directory } from "../sysfs/node.ts";
import { Wait } from "../sysfs/wait.ts";
import type { CreateModel, Model, ModelEvent, Workers } from "./model.ts";

/**
 * The smallest model that has everything a mount must get right: cached and direct texts, devices that come and go, writes that
 * fail, sleep, queue work and remove their own directory. For tests and benchmarks.
 */
const hex = (value: number): string => `0x${(value >>> 0).toString(16).padStart(8, "0")}\n`;

class Toy implements Model {
  readonly root = new Directory("");
  readonly #devices = new Directory("devices");
  readonly #links = new Directory("links");
  readonly #state: Directory;
  readonly #emit: (event: ModelEvent) => void;
  #value = 0;
  #text = "";
  #sleepers: Wait<void>[] = [];
  /** Who waits for a worker, by its number. */
  readonly #squares = new Map<number, Wait<number>[]>();
  #timers: number[] = [];
  #nowMs = 0;
  #workLeftMs = 0;
  #input = 0;
  /** The last input that queued work. */
  #workOf: number | undefined;

  constructor(
    emit: (event: ModelEvent) => void,
    private readonly workers: Workers | undefined,
  ) {
    this.#emit = emit;
    workers?.listen({
      onMessage: (worker, square) => this.#takeSquare(worker, square as number),
      onEnd: (worker) => {
        for (const wait of this.#squares.get(worker)?.splice(0) ?? []) wait.complete(() => fail("EIO"));
      },
    });
    this.#state = this.root.addDirectory(new Directory("host"));
    this.#state.addDirectory(this.#devices);
    this.#state.addDirectory(this.#links);
    this.#state.attach(this.#table(), undefined);
    for (const name of ["card00", "card01"]) this.#addDevice(name);
  }

  get nextTimerMs(): number | undefined {
    return this.#timers.length > 0 ? Math.min(...this.#timers) : undefined;
  }

  tick(nowMs: number): void {
    this.#nowMs = nowMs;
    for (const dueMs of this.#timers.filter((due) => due <= nowMs)) {
      this.#timers.splice(this.#timers.indexOf(dueMs), 1);
      this.#set(this.#value + 1);
      this.#emit({ type: "timer", dueMs });
    }
  }

  beginInput(input: number): void {
    this.#input = input;
  }

  work(budgetMs: number): boolean {
    if (this.#workLeftMs <= 0) return false;
    const end = performance.now() + Math.min(budgetMs, this.#workLeftMs);
    while (performance.now() < end);
    this.#workLeftMs -= budgetMs;
    return this.#workLeftMs > 0;
  }

  hasWorkOf(input: number): boolean {
    return this.#workLeftMs > 0 && this.#workOf === input;
  }

  command(request: unknown): unknown {
    const { do: what, name, value } = request as { do: string; name?: string; value?: number };
    if (what === "add" && name !== undefined) return this.#addDevice(name);
    if (what === "remove" && name !== undefined) return this.#removeDevice(name);
    if (what === "set" && value !== undefined) return this.#set(value);
    if (what === "value") return this.#value;
    if (what === "sleep") return this.#sleep();
    if (what === "square" && value !== undefined) return this.#square(value);
    if (what === "hang") for (;;);
    return fail("EINVAL");
  }

  #table(): AttributeTable<undefined> {
    return attributeTable<undefined>(
      constant("hex", () => hex(this.#value)),
      readOnly("decimal", () => `${this.#value}\n`),
      readWrite(
        "value",
        () => `${this.#value}\n`,
        (_, text) => this.#set(/^\d+$/.test(text.trim()) ? Number(text) : fail("EINVAL")),
      ),
      readWrite(
        "text",
        () => this.#text,
        (_, text) => {
          this.#text = text;
        },
      ),
      readOnly("long", () => "0123456789abcdef".repeat(255)),
      readOnly("secret", () => "secret\n", 0o400),
      constant("gone", () => fail("ENODEV")),
      readOnly("bug", () => {
        throw new TypeError("a bug of the model");
      }),
      writeOnly("fail", (_, text) => fail(text.trim() in errnoNumbers ? (text.trim() as ErrnoName) : "EINVAL")),
      writeOnly("create", (_, text) => this.#addDevice(text.trim())),
      writeOnly("sleep", () => this.#sleep()),
      writeOnly("wake", () => {
        for (const sleeper of this.#sleepers.splice(0)) sleeper.complete(() => {});
      }),
      writeOnly("work", (_, text) => {
        this.#workLeftMs += Number(text);
        this.#workOf = this.#input;
      }),
      writeOnly("timer", (_, text) => {
        this.#timers.push(this.#nowMs + Number(text));
      }),
    );
  }

  #set(value: number): void {
    this.#value = value;
    this.#state.changed("hex");
    this.#emit({ type: "uevent", value });
  }

  /** By a worker; EIO if it ends before. */
  #square(value: number): Wait<number> {
    if (!this.workers) return fail("ENODEV");
    const worker = Math.abs(value) % this.workers.count;
    const wait = new Wait<number>();
    this.#squares.set(worker, [...(this.#squares.get(worker) ?? []), wait]);
    this.workers.send(worker, value);
    return wait;
  }

  #takeSquare(worker: number, square: number): void {
    this.#set(square);
    this.#squares
      .get(worker)
      ?.shift()
      ?.complete(() => square);
  }

  /** Sleeps until `wake` is written; a signal ends it. */
  #sleep(): Wait<void> {
    const sleeper: Wait<void> = new Wait((task) => {
      this.#emit({ type: "interrupted", command: task.command, pid: task.pid });
      this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
      sleeper.complete(() => fail("ERESTARTSYS"));
    });
    this.#sleepers.push(sleeper);
    return sleeper;
  }

  #addDevice(name: string): void {
    if (this.#devices.lookup(name)) return fail("EEXIST");
    const device = this.#devices.addDirectory(new Directory(name));
    device.attach(this.#deviceTable, name);
    this.#links.addLink(name, device);
  }

  #removeDevice(name: string): void {
    if (!this.#devices.lookup(name)) return fail("ENODEV");
    this.#links.remove(name);
    this.#devices.remove(name);
  }

  readonly #deviceTable = attributeTable<string>(
    constant("id", (name) => `${name}\n`),
    readOnly("state", (name) => `${name} is here\n`),
    writeOnly("remove", (name) => this.#removeDevice(name)),
  );
}

export const createModel: CreateModel = (_configuration, emit, workers) => new Toy(emit, workers);
