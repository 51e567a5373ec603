import { readSync } from "node:fs";
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { opcode } from "../fuse/abi.ts";
import { abandonWaiting } from "../fuse/file-handlers.ts";
import { Messages } from "../fuse/messages.ts";
import { Session } from "../fuse/session.ts";
import { wakeNodeId } from "../fuse/wake-file.ts";
import { DeviceChannel, type Notifier, writeMessage } from "./device-channel.ts";
import { toFailure } from "./failure.ts";
import { type Input, type Notice, type Output, toOutput } from "./messages.ts";
import type { CreateModel, ModelEvent } from "./model.ts";
import { ModelTurns, shortSliceMs, sliceMs } from "./model-turns.ts";
import type { ClockKind } from "./runtime.ts";
import { mountState, sharedWord } from "./shared-state.ts";
import { wakeUnique } from "./wake-unique.ts";

/**
 * The thread that owns the model. It waits in one place only, read(2) on the device: requests of the kernel come from there, and so does
 * the wake-up for what the main thread put into the mailbox. It never returns to an event loop while the mount lives.
 * While queued work is left it wakes itself through the device, behind the requests that wait already: these are answered, then
 * comes the next slice.
 */
export interface ModelThreadData {
  readonly device: number;
  readonly modelModule: string;
  readonly modelExport: string;
  readonly configuration: unknown;
  readonly clock: ClockKind;
  readonly awaitedEventTypes: readonly string[];
  readonly shared: Int32Array<SharedArrayBuffer>;
  readonly mailbox: MessagePort;
  readonly notifier: MessagePort;
}

const data = workerData as ModelThreadData;
const notice = (message: Notice): void => parentPort?.postMessage(message);
const fault = (error: unknown): void => notice({ kind: "fault", failure: toFailure(error) });

/** Errors of read(2) after which the next one may succeed: the request was given up before we took it. */
const passingErrors: ReadonlySet<string | undefined> = new Set(["ENOENT", "EINTR", "EAGAIN"]);
/** The mount is gone, or was aborted. */
const finalErrors: ReadonlySet<string | undefined> = new Set(["ENODEV", "ECONNABORTED"]);

try {
  await serve();
} catch (error) {
  endNotifier(data);
  data.mailbox.close();
  notice({ kind: "dead", failure: toFailure(error) });
}

async function serve(): Promise<void> {
  const { device, shared, mailbox, awaitedEventTypes } = data;
  const earlyEvents: ModelEvent[] = [];
  let emit = (event: ModelEvent): void => void earlyEvents.push(event);
  const module = (await import(data.modelModule)) as Readonly<Record<string, CreateModel | undefined>>;
  const createModel = module[data.modelExport];
  if (!createModel) throw new Error(`${data.modelModule} exports no ${data.modelExport}`);
  const startMs = performance.now();
  const model = createModel(data.configuration, (event) => emit(event));
  const turns = new ModelTurns(model, data.clock === "real" ? () => performance.now() - startMs : undefined, fault);

  let isStopping = false;
  let isWakingItself = false;
  const channel = new DeviceChannel({
    device,
    notifier: createNotifier(data),
    awaitedEventTypes: new Set(awaitedEventTypes),
    onFault: fault,
    onWoken(unique) {
      if (unique === wakeUnique.self) isWakingItself = false;
      else takeInputs();
    },
  });
  const session = new Session(model.root, channel);
  channel.connect(turns, session.invalidations);
  emit = (event) => channel.output({ kind: "event", event });
  for (const event of earlyEvents) emit(event);
  channel.beginInput();
  channel.endInput(undefined);

  let announcedMs: number | undefined;
  const announceTimer = (): void => {
    const delayMs = turns.nextDelayMs;
    if (delayMs === undefined) return;
    const dueMs = performance.now() + delayMs;
    if (announcedMs !== undefined && dueMs > announcedMs - 1) return;
    announcedMs = dueMs;
    notice({ kind: "timer", delayMs });
  };

  const takeInput = (input: Input): void => {
    if (input.kind === "stop") {
      isStopping = true;
      return;
    }
    if (input.kind === "command") {
      channel.beginInput();
      let answer: Output | undefined;
      let isRunning = true;
      turns.command(input.request, (outcome) => {
        const output = toOutput(input.id, outcome);
        if (isRunning) answer = output;
        else channel.output(output);
      });
      isRunning = false;
      channel.endCommand(answer);
      return;
    }
    announcedMs = undefined;
    if (input.nowMs === undefined) channel.beginInput();
    else turns.tick(input.nowMs);
    channel.endCommand(input.id === undefined ? undefined : { kind: "answer", id: input.id, value: undefined });
  };

  const takeInputs = (): void => {
    Atomics.store(shared, sharedWord.isWoken, 0);
    for (let message = receiveMessageOnPort(mailbox); message; message = receiveMessageOnPort(mailbox)) takeInput(message.message as Input);
  };

  const selfWake = new Messages();
  selfWake.retrieve(wakeNodeId, wakeUnique.self);
  const selfWakeBytes = selfWake.take();
  /** One slice, and the next one behind the requests that are waiting now. */
  const workOn = (budgetMs: number): void => {
    channel.slice(budgetMs);
    // Nobody holds the wake file yet: then the work is done in one go.
    while (turns.hasWork && !session.isWakeFileHeld) channel.slice(sliceMs);
    if (!turns.hasWork) return;
    isWakingItself = true;
    writeMessage(device, selfWakeBytes, selfWakeBytes.length, fault);
  };

  const { request } = session;
  const { bytes } = request;
  let hasRequests = false;
  announceTimer();
  notice({ kind: "ready" });
  // Before it is mounted, the device only says EPERM.
  Atomics.wait(shared, sharedWord.mountState, mountState.none);
  if (Atomics.load(shared, sharedWord.mountState) === mountState.stopped) isStopping = true;
  while (!isStopping) {
    if (turns.hasWork && !isWakingItself) {
      workOn(hasRequests ? shortSliceMs : sliceMs);
      hasRequests = false;
    }
    let length: number;
    try {
      length = readSync(device, bytes, 0, bytes.length, null);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (passingErrors.has(code)) continue;
      if (finalErrors.has(code)) break;
      throw error;
    }
    Atomics.add(shared, sharedWord.turns, 1);
    session.handle(length);
    if (request.opcode !== opcode.notifyReply) hasRequests = true;
    announceTimer();
    Atomics.add(shared, sharedWord.turns, 1);
  }
  abandonWaiting(session);
  channel.finish();
  endNotifier(data);
  mailbox.close();
}

function endNotifier({ notifier, shared }: ModelThreadData): void {
  notifier.postMessage(null);
  Atomics.add(shared, sharedWord.submitted, 1);
  Atomics.notify(shared, sharedWord.submitted);
  notifier.close();
}

function createNotifier({ notifier, shared }: ModelThreadData): Notifier {
  return {
    get isIdle() {
      return Atomics.load(shared, sharedWord.submitted) === Atomics.load(shared, sharedWord.completed);
    },
    submit(batch) {
      notifier.postMessage(batch);
      Atomics.add(shared, sharedWord.submitted, 1);
      Atomics.notify(shared, sharedWord.submitted);
    },
  };
}
