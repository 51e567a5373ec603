import { beforeEach, expect, test } from "vitest";
import type { ModelEvent } from "../runtime/model.ts";
import { FrontGuests } from "./front-guests.ts";

const published: ModelEvent[] = [];
let fronts: FrontGuests;
beforeEach(() => {
  published.length = 0;
  fronts = new FrontGuests((event) => void published.push(event));
  fronts.answer({ do: "front", action: "started", guest: "guest1", words: ["-m", "256"] });
});
const endFront = (): void => fronts.take({ type: "guest", event: "destroyed", guest: "guest1" });

test("a question to a front is answered by that front alone", async () => {
  const answer = fronts.monitor("guest1")!.execute("query-migrate");
  expect(published).toEqual([{ type: "guest", guest: "guest1", event: "asked", question: 1, execute: "query-migrate", values: {} }]);
  fronts.answer({ do: "front", action: "answer", guest: "guest2", question: 1, result: "another's" });
  fronts.answer({ do: "front", action: "answer", guest: "guest1", question: 1, result: { status: "active" } });
  expect(await answer).toEqual({ status: "active" });
});

test("a front that ends answers no question, of before or after", async () => {
  const monitor = fronts.monitor("guest1")!;
  const asked = monitor.execute("migrate");
  endFront();
  await expect(asked).rejects.toThrow("the guest has ended");
  await expect(monitor.execute("query-migrate")).rejects.toThrow("the guest has ended");
  await monitor.ended;
  expect(fronts.monitor("guest1")).toBeUndefined();
});
