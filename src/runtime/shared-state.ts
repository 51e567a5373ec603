/** Words that the threads of one runtime share; each has one writer unless it says otherwise. */
export const sharedWord = {
  /** Batches given to the notifier: model thread. */
  submitted: 0,
  /** Batches the notifier has sent. */
  completed: 1,
  /** The last batch whose events were taken: main thread. */
  acknowledged: 2,
  /** 1 from the wake-up until the model thread looks into its mailbox: all. */
  isWoken: 3,
  /** Odd while the model thread is at work on an input: model thread. */
  turns: 4,
  /** 0 until there is a mount to read from, or there will be none: main thread. */
  mountState: 5,
} as const;

export const mountState = { none: 0, mounted: 1, stopped: 2 } as const;

export const createSharedState = (): Int32Array<SharedArrayBuffer> => new Int32Array(new SharedArrayBuffer(64));
