import { Messages } from "../fuse/messages.ts";
import { wakeNodeId } from "../fuse/wake-file.ts";
import { writeMessage } from "./device-channel.ts";
import { sharedWord } from "./shared-state.ts";
import { wakeUnique } from "./wake-unique.ts";

export interface WakeTarget {
  readonly device: number;
  readonly shared: Int32Array<SharedArrayBuffer>;
}

/**
 * Wakes the model thread, from any other, to look at what was posted to it, unless a wake-up is on its way. Before the wake file is held
 * the kernel drops a wake-up, and the mark that one is on its way would stay for ever.
 */
export function createWake({ device, shared }: WakeTarget, onFault: (error: unknown) => void): () => void {
  const messages = new Messages();
  messages.retrieve(wakeNodeId, wakeUnique.mailbox);
  const bytes = messages.take();
  return () => {
    if (Atomics.exchange(shared, sharedWord.isWoken, 1) === 0) writeMessage(device, bytes, bytes.length, onFault);
  };
}
