import * as fc from "fast-check";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { Mask } from "../../src/ap/mask.ts";
import type { Host } from "../../src/host/host.ts";
import { VirtualMachine } from "../../src/kvm/virtual-machine.ts";
import { type GenerationName, generation } from "../../src/linux/generation.ts";
import { adapterProfile } from "../../src/machine/adapter-profile.ts";
import { fullMachine } from "../../src/machine/lpar.ts";
import { Machine } from "../../src/machine/machine.ts";
import { Errno } from "../../src/sysfs/errno.ts";
import { Wait } from "../../src/sysfs/wait.ts";
import { errnosOf } from "./bad-input/errnos.ts";
import { anyInstruction, execute, interruptions } from "./bad-input/instructions.ts";
import { makeSubject, writablePaths } from "./bad-input/subject.ts";
import { randomText, recordedTexts } from "./bad-input/texts.ts";
import { Reader, type Texts } from "./history/reader.ts";
import { printSeed, propertyTimeoutMs, runParameters } from "./seed.ts";

/** Whatever is written to a file or given to an instruction: the kernel's or the machine's answer, and nothing changed on a refusal. */
const randomTexts = 10_000;

vi.setConfig({ testTimeout: propertyTimeoutMs });
beforeAll(() => printSeed("test/properties/bad-input.test.ts"));

/** A host that writes are tried on; a new one after every write that changed something. */
class Target {
  #host: Host;
  #texts: Texts;

  constructor(readonly kernel: GenerationName) {
    this.#host = makeSubject(kernel);
    this.#texts = this.#read();
  }

  get paths(): string[] {
    return writablePaths(this.#host);
  }

  /** The errno, or undefined; throws what is none, and when a refusal changed something. */
  try(path: string, data: string): string | undefined {
    const code = this.#write(path, data);
    const after = this.#read();
    const changed = difference(this.#texts, after);
    if (changed === undefined) return code;
    if (code !== undefined) throw new Error(`${code} for ${JSON.stringify(data)} to ${path} changed ${changed}`);
    this.#host = makeSubject(this.kernel);
    this.#texts = this.#read();
    return undefined;
  }

  #write(path: string, data: string): string | undefined {
    try {
      const result = this.#host.write(path, data);
      while (this.#host.queue.work(Number.POSITIVE_INFINITY));
      if (result instanceof Wait && result.outcome && "error" in result.outcome) throw result.outcome.error;
      return undefined;
    } catch (error) {
      if (error instanceof Errno) return error.code;
      throw error;
    }
  }

  #read(): Texts {
    return new Reader().read(this.#host.linux.root);
  }
}

function difference(before: Texts, after: Texts): string | undefined {
  for (const [path, text] of after) if (before.get(path) !== text) return path;
  for (const path of before.keys()) if (!after.has(path)) return path;
  return undefined;
}

function expectAllowed(target: Target, path: string, data: string): void {
  const code = target.try(path, data);
  if (code === undefined) return;
  const allowed = errnosOf(path, generation(target.kernel).isDynamic) ?? [];
  if (!allowed.includes(code))
    throw new Error(`${JSON.stringify(data)} to ${path} gave ${code}; the kernel gives ${allowed.join(" or ") || "none"}`);
}

const kernels = ["7.2", "6.12", "6.1", "4.20"] as const;

describe.each(kernels)("every file of a %s host that can be written", (kernel) => {
  test("has a row in the table of errnos", () => {
    const unknown = new Target(kernel).paths.filter((path) => errnosOf(path, generation(kernel).isDynamic) === undefined);
    expect(unknown).toEqual([]);
  });

  test("answers every malformed text of the recorded traces as the kernel does, and a refusal changes nothing", () => {
    const target = new Target(kernel);
    for (const path of target.paths) for (const text of recordedTexts()) expectAllowed(target, path, text);
  });

  test("answers random bytes as the kernel does, and a refusal changes nothing", () => {
    const target = new Target(kernel);
    void fc.assert(
      fc.property(fc.constantFrom(...target.paths), randomText, (path, text) => expectAllowed(target, path, text)),
      runParameters(kernel === "7.2" ? randomTexts : randomTexts / 10),
    );
  });
});

const facilities = fc.record({
  ap: fc.nat({ max: 9 }).map((number) => number > 0),
  qci: fc.boolean(),
  apft: fc.boolean(),
  apqi: fc.boolean(),
  apxa: fc.boolean(),
});

/** Adapters that answer every message with itself, at once. */
function makeMachine(machineFacilities: (typeof fullMachine)["facilities"], resetDurationMs: number): Machine {
  const profile = { ...fullMachine, facilities: machineFacilities, resetDurationMs };
  const machine = new Machine(
    profile,
    () => 0,
    (request, reply) => reply(request.message),
  );
  for (const [index, id] of [0, 1, 2, 64].entries()) machine.addAdapter(id, adapterProfile(8 + 2 * index, "cca"));
  for (const domain of [0, 4, 16]) machine.setUsageDomain(domain, true);
  machine.setConfigured(2, false);
  return machine;
}

const someInstructions = fc.array(anyInstruction, { minLength: 1, maxLength: 12 });

function expectAnswer({ result, registers }: ReturnType<typeof execute>, before: readonly number[]): void {
  if (interruptions.includes(result)) expect([...registers]).toEqual(before);
  else expect([0, 1, 2, 3]).toContain(result);
}

test("a machine answers any instruction with any registers by a condition code, or by a program interruption that changes no register", () => {
  void fc.assert(
    fc.property(facilities, fc.constantFrom(0, 30), someInstructions, (has, resetDurationMs, instructions) => {
      const machine = makeMachine(has, resetDurationMs);
      for (const instruction of instructions) expectAnswer(execute(machine, instruction), instruction.registers);
    }),
    runParameters(2_000),
  );
});

const guestFacilities = fc.record({
  ap: fc.nat({ max: 9 }).map((number) => number > 0),
  qci: fc.boolean(),
  apft: fc.boolean(),
  apqi: fc.boolean(),
  msa3: fc.boolean(),
});
const hookAnswer = fc.constantFrom(undefined, 0, 0x00060000);

test("a virtual machine answers any instruction with any registers by a condition code, or by a program interruption that changes no register", () => {
  void fc.assert(
    fc.property(facilities, guestFacilities, hookAnswer, someInstructions, (has, offered, answer, instructions) => {
      const vm = new VirtualMachine(makeMachine(has, 0), offered);
      vm.setMasks({ adapters: Mask.of(0, 1, 64, 200), usageDomains: Mask.of(0, 4, 200), controlDomains: Mask.none });
      vm.aqicHook = () => answer;
      for (const instruction of instructions) expectAnswer(execute(vm, instruction), instruction.registers);
    }),
    runParameters(2_000),
  );
});
