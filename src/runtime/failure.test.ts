import { expect, test } from "vitest";
import { Errno } from "../sysfs/errno.ts";
import { fromFailure, toFailure } from "./failure.ts";

test("an error comes out of another thread as what it was: an Errno as such, others with name, message and code", () => {
  const pass = (error: unknown): Error => fromFailure(structuredClone(toFailure(error)));
  expect(pass(new Errno("EBUSY"))).toBeInstanceOf(Errno);
  expect(pass(new Errno("EBUSY"))).toMatchObject({ code: "EBUSY" });
  const refusal = Object.assign(new Error("there is no card 5"), { name: "Refusal", code: "no-card" });
  expect(pass(refusal)).toMatchObject({ name: "Refusal", message: "there is no card 5", code: "no-card" });
  expect(pass("a text").message).toBe("a text");
});
