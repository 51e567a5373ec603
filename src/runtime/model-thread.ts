import { readSync } from "node:fs";
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { opcode } from "../fuse/abi.ts";
import { abandonWaiting } from "../fuse/file-handlers.ts";
import { dispatch } from "../fuse/handlers.ts";
import { Messages } from "../fuse/messages.ts";
import { Session } from "../fuse/session.ts";
import { wakeNodeId } from "../fuse/wake-file.ts";
import { DeviceChannel, writeMessage } from "./device-channel.ts";
import { toFailure } from "./failure.ts";
import { Mailbox } from "./mailbox.ts";
import type { CreateModel, ModelEvent } from "./model.ts";
import { ModelTurns, shortSliceMs, sliceMs } from "./model-turns.ts";
import { NotifierPort } from "./notifier-port.ts";
import type { ClockKind } from "./runtime.ts";
import { mountState, sharedWord } from "./shared-state.ts";
import type { Notice } from "./thread-messages.ts";
import { TimerAnnouncer } from "./timer-announcer.ts";
import { wakeUnique } from "./wake-unique.ts";
import { WorkerPorts } from "./worker-ports.ts";

/**
 * The thread that owns the model. It waits in one place only, read(2) on the device: requests of the kernel come from there, and so does
 * the wake-up for what the main thread or a worker put into the mailbox. It never returns to an event loop while the mount lives.
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
  readonly workerCount: number;
}

/** Errors of read(2) after which the next one may succeed: the request was given up before we took it. */
const passingErrors: ReadonlySet<string | undefined> = new Set(["ENOENT", "EINTR", "EAGAIN"]);
/** The mount is gone, or was aborted. */
const finalErrors: ReadonlySet<string | undefined> = new Set(["ENODEV", "ECONNABORTED"]);

const data = workerData as ModelThreadData;
const { device, shared } = data;
const notifier = new NotifierPort(data.notifier, shared);
const notice = (message: Notice): void => parentPort?.postMessage(message);
const fault = (error: unknown): void => notice({ kind: "fault", failure: toFailure(error) });
const workers = data.workerCount > 0 ? new WorkerPorts(data.workerCount, (worker) => notice({ kind: "worker-wanted", worker })) : undefined;

try {
  await run();
} catch (error) {
  notice({ kind: "dead", failure: toFailure(error) });
}
notifier.end();
workers?.close();
data.mailbox.close();

async function run(): Promise<void> {
  const early: ModelEvent[] = [];
  let emit = (event: ModelEvent): void => void early.push(event);
  const createModel = await importModel();
  const startMs = performance.now();
  const model = createModel(data.configuration, (event) => emit(event), workers);
  const turns = new ModelTurns(model, data.clock === "real" ? () => performance.now() - startMs : undefined, fault);
  const timer = new TimerAnnouncer(turns, (delayMs) => notice({ kind: "timer", delayMs }));
  let isWakingItself = false;
  const channel = new DeviceChannel({
    device,
    notifier,
    awaitedEventTypes: new Set(data.awaitedEventTypes),
    onFault: fault,
    onWoken(unique) {
      if (unique === wakeUnique.self) isWakingItself = false;
      else mailbox.drain();
    },
  });
  const session = new Session(model.root, channel);
  channel.connect(turns, session.invalidations);
  const mailbox = new Mailbox(data.mailbox, shared, turns, channel, timer, workers);
  emit = (event) => channel.output({ kind: "event", event });
  for (const event of early) emit(event);
  // What the model queued while it was made.
  channel.beginInput();
  channel.endInput(undefined);
  timer.update();
  notice({ kind: "ready" });

  const wakeItself = createSelfWake();
  const { request } = session;
  let hasRequests = false;
  if (!isMounted()) return;
  while (!mailbox.isStopped) {
    if (turns.hasWork && !isWakingItself) {
      channel.slice(hasRequests ? shortSliceMs : sliceMs);
      hasRequests = false;
      // Until somebody holds the wake file, work is done in one go.
      while (turns.hasWork && !session.isWakeFileHeld) channel.slice(sliceMs);
      isWakingItself = turns.hasWork;
      if (isWakingItself) wakeItself();
    }
    const length = readRequest(request.bytes);
    if (length === undefined) break;
    Atomics.add(shared, sharedWord.turns, 1);
    dispatch(session, length);
    hasRequests ||= request.opcode !== opcode.notifyReply;
    timer.update();
    Atomics.add(shared, sharedWord.turns, 1);
  }
  abandonWaiting(session);
  channel.finish();
}

async function importModel(): Promise<CreateModel> {
  const module = (await import(data.modelModule)) as Readonly<Record<string, CreateModel | undefined>>;
  const createModel = module[data.modelExport];
  if (!createModel) throw new Error(`${data.modelModule} exports no ${data.modelExport}`);
  return createModel;
}

/** Waits until there is a mount to read from: before, the device only says EPERM. False if there will be none. */
function isMounted(): boolean {
  Atomics.wait(shared, sharedWord.mountState, mountState.none);
  return Atomics.load(shared, sharedWord.mountState) === mountState.mounted;
}

/** The length of the next request; undefined when there will be no more. */
function readRequest(bytes: Buffer): number | undefined {
  for (;;) {
    try {
      return readSync(device, bytes, 0, bytes.length, null);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (finalErrors.has(code)) return undefined;
      if (!passingErrors.has(code)) throw error;
    }
  }
}

function createSelfWake(): () => void {
  const messages = new Messages();
  messages.retrieve(wakeNodeId, wakeUnique.self);
  const bytes = messages.take();
  return () => writeMessage(device, bytes, bytes.length, fault);
}
