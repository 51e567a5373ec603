import { describe, expect, test } from "vitest";
import { frameTypes } from "./frame.ts";
import { type ToySide, toySide } from "./toy-hosts.ts";
import { type Fault, MortalPort, ToyNetwork } from "./toy-network.ts";

const address = { type: "unix", path: "/socket" } as const;

interface Outcome {
  readonly network: ToyNetwork;
  readonly source: ToySide;
  readonly target: ToySide;
  readonly firstStep: number;
}

async function migrated(fault?: Fault, step?: number): Promise<Outcome> {
  const network = new ToyNetwork(fault, step);
  const source = await toySide({ port: new MortalPort(network, "source"), migration: network.surroundings("source") });
  const target = await toySide({ port: new MortalPort(network, "target"), migration: network.surroundings("target"), isIncoming: true });
  source.port.deviceData.push(Buffer.from("vfap"), Buffer.from("more"));
  await target.migration.listen(address, { exitsOnError: true });
  const firstStep = network.steps;
  const isOver = new Set<string>();
  void source.migration.begin(address).then(() => isOver.add("source"));
  await network.settle(() => {
    if (target.migration.status === "completed" || target.emulator.hasEnded) isOver.add("target");
    return (isOver.has("source") || network.dead.has("source")) && (isOver.has("target") || network.dead.has("target"));
  });
  return { network, source, target, firstStep };
}

const whole = await migrated();
const steps = Array.from({ length: whole.network.steps - whole.firstStep }, (_, index) => whole.firstStep + index);
/** The target's last call before it says that it has everything. */
const isComplete = ({ port }: ToySide): boolean => port.calls.includes("device running");

test("a migration that nothing happens to is made of more than 50 steps, and leaves the guest at the target", () => {
  expect(steps.length).toBeGreaterThan(50);
  expect([whole.source.migration.status, whole.target.migration.status]).toEqual(["completed", "completed"]);
  expect([whole.network.isRunning("source"), whole.network.isRunning("target")]).toEqual([false, true]);
});

describe.each<Fault>(["cut", "garbage", "stall", "hang"])("when both live and the connection suffers: %s", (fault) => {
  test.each(steps)("at step %i one of the two runs the guest, and both know which", async (step) => {
    const { network, source, target } = await migrated(fault, step);
    expect(network.hasRunTwice).toBe(false);
    const isAtTarget = network.isRunning("target");
    expect(network.isRunning("source")).toBe(!isAtTarget);
    expect(source.migration.status).toBe(isAtTarget ? "completed" : "failed");
    expect(source.emulator.runState).toBe(isAtTarget ? "postmigrate" : "running");
    expect(target.emulator.hasEnded).toBe(!isAtTarget);
    if (!isAtTarget) expect(target.migration.hasFailedToArrive).toBe(true);
  });
});

test.each(steps)("when the source dies at step %i the target runs the guest if it has all of it, and ends otherwise", async (step) => {
  const { network, target } = await migrated("kill source", step);
  expect(network.hasRunTwice).toBe(false);
  expect(network.isRunning("target")).toBe(isComplete(target));
  expect(target.emulator.hasEnded).toBe(!isComplete(target));
  if (!isComplete(target)) expect(await target.emulator.ended).toBe(1);
});

test.each(steps)("when the target dies at step %i the source runs the guest, unless it was told that the target did", async (step) => {
  const { network, source } = await migrated("kill target", step);
  expect(network.hasRunTwice).toBe(false);
  const wasTold = network.sent.has(frameTypes.done.code) || network.answered.has("running");
  expect(network.isRunning("source")).toBe(!wasTold);
  expect(source.emulator.runState).toBe(wasTold ? "postmigrate" : "running");
  expect(source.migration.status).toBe(wasTold ? "completed" : "failed");
});
