/** Runs `count` tasks, at most `atOnce` of them at a time, each with its number; the first that fails ends it. */
export async function inFlight(count: number, atOnce: number, task: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) await task(next++);
  };
  try {
    await Promise.all(Array.from({ length: Math.min(atOnce, count) }, lane));
  } finally {
    next = count;
  }
}
