import * as fc from "fast-check";
import type { GuestCommand } from "../../../src/host/guest-commands.ts";

/** What can happen to guests and around them. */
export const uuids = ["11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"] as const;
export const adapterIds = [2, 5, 70] as const;
/** One beyond what a guest without QCI sees. */
export const domainIds = [4, 9, 20] as const;
export const guestNames = ["g0", "g1"] as const;

export type Features = Extract<GuestCommand, { action: "create" }>["features"];

type Card = "card add" | "card remove" | "card configure" | "card deconfigure" | "checkstop" | "no checkstop";
type Domain = "usage-domain add" | "usage-domain remove" | "control-domain add" | "control-domain remove";

export type Operation =
  | { readonly guest: string; readonly does: "create"; readonly features: Features }
  | { readonly guest: string; readonly does: "run" | "pause" | "reset" | "unplug" | "destroy" | "send" }
  | { readonly guest: string; readonly does: "plug"; readonly mdev: string }
  | { readonly mdev: string; readonly attribute: string; readonly id: number }
  | { readonly hw: Card | Domain; readonly id: number }
  | { readonly mask: string }
  | { readonly passMs: number };

export const features: fc.Arbitrary<Features> = fc.constantFrom(
  { ap: true, apqci: true, apft: true, apqi: true },
  { ap: true, apqci: true, apft: true, apqi: false },
  { ap: true, apqci: false, apft: true, apqi: true },
  { ap: true, apqci: true, apft: false, apqi: true },
  { ap: false, apqci: false, apft: false, apqi: false },
);
const guest = fc.constantFrom(...guestNames);
const mdev = fc.constantFrom(...uuids);
const adapter = fc.constantFrom(...adapterIds);
const domain = fc.constantFrom(...domainIds);

const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ guest, does: fc.constant("create" as const), features }) },
  { weight: 4, arbitrary: fc.record({ guest, does: fc.constant("run" as const) }) },
  { weight: 4, arbitrary: fc.record({ guest, does: fc.constantFrom("pause" as const, "reset" as const, "unplug" as const) }) },
  { weight: 1, arbitrary: fc.record({ guest, does: fc.constant("destroy" as const) }) },
  { weight: 4, arbitrary: fc.record({ guest, does: fc.constant("send" as const) }) },
  { weight: 5, arbitrary: fc.record({ guest, does: fc.constant("plug" as const), mdev }) },
  {
    weight: 6,
    arbitrary: fc.record({ mdev, attribute: fc.constantFrom("assign_adapter", "assign_adapter", "unassign_adapter"), id: adapter }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      mdev,
      attribute: fc.constantFrom("assign_domain", "assign_domain", "unassign_domain", "assign_control_domain", "unassign_control_domain"),
      id: domain,
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      hw: fc.constantFrom<Card>("card add", "card remove", "card configure", "card deconfigure", "checkstop", "no checkstop"),
      id: adapter,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      hw: fc.constantFrom<Domain>("usage-domain add", "usage-domain remove", "control-domain add", "control-domain remove"),
      id: domain,
    }),
  },
  { weight: 1, arbitrary: fc.record({ mask: fc.constantFrom("-2,-5,-70", "+2", "+5", "-5", "+70") }) },
  { weight: 2, arbitrary: fc.record({ passMs: fc.constantFrom(1000, 31_000, 61_000) }) },
);

export const history = fc.array(operation, { minLength: 15, maxLength: 60 });
