import * as fc from "fast-check";
import { beforeAll, expect, test, vi } from "vitest";
import { Destination } from "./migration-streams/destination.ts";
import { stream } from "./migration-streams/streams.ts";
import { printSeed, propertyTimeoutMs, runParameters } from "./seed.ts";

/** Whatever comes as a migrating device's data: refused or taken whole, and the next good stream is taken. */
const streams = 10_000;

vi.setConfig({ testTimeout: propertyTimeoutMs });
beforeAll(() => printSeed("test/properties/migration-streams.test.ts"));

test("a hostile stream is taken whole or changes nothing, leaves every queue its one owner, and a good one is taken after it", () => {
  const destination = new Destination();
  const answers = new Map<string, number>();
  void fc.assert(
    fc.property(stream(destination.wordsOf), (one) => {
      const answer = destination.take(one);
      answers.set(answer, (answers.get(answer) ?? 0) + 1);
    }),
    runParameters(streams),
  );
  console.log(`streams: ${[...answers].map(([answer, count]) => `${count} ${answer}`).join(", ")}`);
  for (const answer of ["done", "incomplete", "EINVAL", "EIO", "ENODEV", "EADDRINUSE"]) expect([...answers.keys()]).toContain(answer);
});
