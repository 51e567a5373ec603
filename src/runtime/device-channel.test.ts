import { closeSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { forEachMessage } from "../fuse/messages.ts";
import { Reply } from "../fuse/reply.ts";
import { Session } from "../fuse/session.ts";
import { Directory } from "../sysfs/node.ts";
import { DeviceChannel } from "./device-channel.ts";
import { ModelTurns } from "./model-turns.ts";
import type { Batch, Output } from "./thread-messages.ts";

const event = (type: string): Output => ({ kind: "event", event: { type } });
const uniques = (bytes: Uint8Array<ArrayBuffer> | undefined): number[] => {
  const found: number[] = [];
  if (bytes) forEachMessage(bytes, (message) => found.push(new DataView(message.buffer, message.byteOffset).getUint32(8, true)));
  return found;
};

describe("the order in which things leave the model thread", () => {
  const path = join(tmpdir(), `adjunct-channel-${process.pid}`);
  let device: number;
  let batches: Batch[];
  let isNotifierIdle: boolean;
  let workLeft: number;
  /** The last of it. */
  let othersWork: number;
  let channel: DeviceChannel;
  let session: Session;
  const reply = new Reply(4096);
  const sent = (): number[] => uniques(new Uint8Array(readFileSync(path)));

  beforeEach(() => {
    device = openSync(path, "w+");
    batches = [];
    isNotifierIdle = true;
    workLeft = 0;
    othersWork = 0;
    channel = new DeviceChannel({
      device,
      notifier: {
        get isIdle() {
          return isNotifierIdle;
        },
        submit: (batch) => void batches.push(batch),
      },
      awaitedEventTypes: new Set(["uevent"]),
      onWoken: () => {},
      onFault: (error) => {
        throw error;
      },
    });
    const root = new Directory("");
    session = new Session(root, channel);
    const model = {
      ...{ root, nextTimerMs: undefined, tick: () => {}, beginInput: () => {}, command: () => undefined },
      work: () => --workLeft > 0,
      hasWorkOf: () => workLeft > othersWork,
    };
    channel.connect(new ModelTurns(model, undefined, () => {}), session.invalidations);
  });
  afterEach(() => {
    closeSync(device);
    rmSync(path);
  });

  test("an input that changed nothing is answered directly", () => {
    channel.beginInput();
    channel.endInput(reply.written(2, 1));
    expect([sent(), batches]).toEqual([[2], []]);
  });

  test("invalidations go before events and events before the reply", () => {
    channel.beginInput();
    session.invalidations.messages.invalidateInode(9);
    channel.output(event("uevent"));
    channel.endInput(reply.written(2, 1));
    expect(sent()).toEqual([]);
    expect(batches).toHaveLength(1);
    expect(batches[0]).toMatchObject({ outputs: [event("uevent")], isAwaited: true });
    expect([uniques(batches[0]?.notifications), uniques(batches[0]?.replies)]).toEqual([[0], [2]]);
  });

  test("only events of the awaited types are waited for", () => {
    channel.beginInput();
    channel.output(event("log"));
    channel.endInput(reply.written(2, 1));
    expect(batches[0]?.isAwaited).toBe(false);
  });

  test("a reply that changed nothing goes behind the batches that are still on their way", () => {
    isNotifierIdle = false;
    channel.beginInput();
    channel.endInput(reply.written(2, 1));
    expect([sent(), uniques(batches[0]?.replies)]).toEqual([[], [2]]);
    channel.send(reply.written(4, 1));
    expect(sent()).toEqual([4]);
  });

  test("the reply of an input that queued work leaves when that is done, what others ask meanwhile at once", () => {
    workLeft = 3;
    channel.beginInput();
    channel.endInput(reply.written(2, 1));
    channel.beginInput();
    channel.endInput(reply.written(4, 1));
    expect(sent()).toEqual([4]);
    channel.slice(10);
    expect(batches).toEqual([]);
    channel.slice(10);
    expect(uniques(batches[0]?.replies)).toEqual([2]);
  });

  test("the reply of an input that queued work does not wait for work that others queued after it", () => {
    [workLeft, othersWork] = [4, 2];
    channel.beginInput();
    channel.endInput(reply.written(2, 1));
    expect(batches).toEqual([]);
    channel.slice(10);
    expect(uniques(batches[0]?.replies)).toEqual([2]);
  });

  test("what came of a slice leaves with that slice", () => {
    workLeft = 3;
    channel.beginInput();
    channel.endInput(undefined);
    session.invalidations.messages.invalidateInode(9);
    channel.sendAtEnd(reply.written(6, 1));
    channel.slice(10);
    expect([uniques(batches[0]?.notifications), uniques(batches[0]?.replies)]).toEqual([[0], [6]]);
  });

  test("the answer of a command leaves with its events, after the work that it queued", () => {
    const answer: Output = { kind: "answer", id: 1, value: null };
    workLeft = 2;
    channel.beginInput();
    channel.output(event("uevent"));
    channel.endCommand(answer);
    expect(batches.map(({ outputs }) => outputs)).toEqual([[event("uevent")]]);
    channel.slice(10);
    expect(batches.map(({ outputs }) => outputs)).toEqual([[event("uevent")], [answer]]);
  });
});
