import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeStatus, encodeStatus, type QueueStatus, ResponseCode, responseCodeOf } from "./status.ts";

const golden: [Partial<QueueStatus>, number][] = [
  [{}, 0x00000000],
  [{ queueEmpty: true }, 0x80000000],
  [{ repliesWaiting: true }, 0x40000000],
  [{ queueFull: true }, 0x20000000],
  [{ asynchronous: true }, 0x02000000],
  [{ irqEnabled: true }, 0x01000000],
  [{ responseCode: ResponseCode.queueNotAvailable }, 0x00010000],
  [{ queueEmpty: true, responseCode: ResponseCode.resetInProgress }, 0x80020000],
  [{ queueEmpty: true, irqEnabled: true, responseCode: ResponseCode.otherwiseChanged }, 0x81070000],
  [{ asynchronous: true, responseCode: ResponseCode.associationFailed }, 0x02360000],
  [{ responseCode: 0xff }, 0x00ff0000],
];

test.each(golden.map(([status, word]) => [status, word.toString(16), word] as const))("%j is the word 0x%s", (status, _hex, word) => {
  expect(encodeStatus(status)).toBe(word);
  expect(decodeStatus(word)).toMatchObject(status);
  expect(responseCodeOf(word)).toBe(status.responseCode ?? 0);
});

test("every status goes through its word unchanged", () => {
  const status = fc.record({
    queueEmpty: fc.boolean(),
    repliesWaiting: fc.boolean(),
    queueFull: fc.boolean(),
    asynchronous: fc.boolean(),
    irqEnabled: fc.boolean(),
    responseCode: fc.integer({ min: 0, max: 255 }),
  });
  fc.assert(
    fc.property(status, (value) => {
      expect(decodeStatus(encodeStatus(value))).toEqual(value);
    }),
  );
});

test.each(
  (
    [
      ["normal", 0x00],
      ["queueNotAvailable", 0x01],
      ["resetInProgress", 0x02],
      ["deconfigured", 0x03],
      ["checkstopped", 0x04],
      ["busy", 0x05],
      ["invalidAddress", 0x06],
      ["otherwiseChanged", 0x07],
      ["invalidGisa", 0x08],
      ["boundToAnother", 0x09],
      ["stateChangeInProgress", 0x0a],
      ["notBound", 0x0b],
      ["queueFull", 0x10],
      ["noPendingReply", 0x10],
      ["indexTooBig", 0x11],
      ["noFirstPart", 0x13],
      ["messageTooBig", 0x15],
      ["facilityNotInstalled", 0x16],
      ["bindError", 0x30],
      ["notAvailableForAssociation", 0x31],
      ["notEmpty", 0x32],
      ["bindLimitExceeded", 0x33],
      ["invalidAssociationSecret", 0x34],
      ["associationSecretNotUnique", 0x35],
      ["associationFailed", 0x36],
      ["invalidDomain", 0x42],
    ] as const
  ).map(([name, code]) => [name, code.toString(16), code] as const),
)("response code %s is 0x%s", (name, _hex, code) => {
  expect(ResponseCode[name]).toBe(code);
});
