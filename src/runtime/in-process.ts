import { fromFailure, toFailure } from "./failure.ts";
import type { CreateModel } from "./model.ts";
import { ModelTurns } from "./model-turns.ts";
import { PendingAnswers } from "./pending-answers.ts";
import { RealClock } from "./real-clock.ts";
import type { Runtime, RuntimeOptions } from "./runtime.ts";
import { type Output, toOutput } from "./thread-messages.ts";
import { WorkerPorts } from "./worker-ports.ts";
import { WorkerThreads } from "./worker-threads.ts";

/** Runs a model in this thread, without a mount. Its work is done in slices between which the event loop goes on. */
export function startInProcess(createModel: CreateModel, options: RuntimeOptions): Runtime {
  const { configuration, clock, onEvent, onFault, workers } = options;
  const startMs = performance.now();
  const answers = new PendingAnswers();
  const fault = (error: unknown): void => onFault?.(fromFailure(toFailure(error)));
  const ports = workers && new WorkerPorts(workers.count, (worker) => threads?.start(worker));
  const threads =
    workers &&
    new WorkerThreads({
      module: workers.module,
      wake: undefined,
      onStarted(worker, port) {
        port.on("message", (message) => takeInput(() => void ports?.take(worker, message)));
        ports?.started(worker, port);
      },
      onEnded: (worker) => takeInput(() => void ports?.ended(worker)),
      onFault: fault,
    });
  const model = createModel(configuration, (event) => void onEvent?.(event), ports);
  const turns = new ModelTurns(model, clock === "real" ? () => performance.now() - startMs : undefined, fault);
  const realClock = new RealClock(() => takeInput(() => undefined));
  const held: Output[] = [];
  let slice: NodeJS.Immediate | undefined;
  let isOver = false;
  let resolveEnded: () => void = () => {};
  const ended = new Promise<undefined>((resolve) => {
    resolveEnded = () => resolve(undefined);
  });

  const afterTurn = (): void => {
    if (turns.hasWork) slice ??= setImmediate(workOn);
    if (!turns.hasHeldWork) for (const output of held.splice(0)) answer(output);
    const delayMs = turns.nextDelayMs;
    if (delayMs !== undefined) realClock.set(delayMs);
  };
  const workOn = (): void => {
    slice = undefined;
    turns.slice();
    afterTurn();
  };
  const answer = (output: Output): void => {
    if (output.kind !== "event") answers.take(output);
  };
  /** `run` returns the answer if it has one already. */
  const takeInput = (run: () => Output | void): void => {
    if (isOver) return;
    turns.begin();
    const output = run();
    const isHeld = turns.end();
    if (output && isHeld) held.push(output);
    else if (output) answer(output);
    afterTurn();
  };

  takeInput(() => undefined);
  return {
    ended,
    command: (request) =>
      answers.ask((id) =>
        takeInput(() => {
          let early: Output | undefined;
          let isRunning = true;
          turns.command(request, (outcome) => {
            if (isRunning) early = toOutput(id, outcome);
            else answer(toOutput(id, outcome));
          });
          isRunning = false;
          return early;
        }),
      ),
    async tick(nowMs) {
      await answers.ask((id) =>
        takeInput(() => {
          turns.tick(nowMs);
          return toOutput(id, { value: undefined });
        }),
      );
    },
    async stop() {
      isOver = true;
      realClock.stop();
      clearImmediate(slice);
      answers.end(new Error("the runtime was stopped"));
      ports?.close();
      await threads?.end();
      resolveEnded();
    },
  };
}
