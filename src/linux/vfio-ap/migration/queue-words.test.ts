import { expect, test } from "vitest";
import { sent, side } from "../../../../test/support/migration-sides.ts";
import { type TestHost, uuids } from "../../../../test/support/test-host.ts";
import { encodeStatus } from "../../../ap/status.ts";

const [first] = uuids;

/** From now on TAPQ of a queue ends with this status word, and says what it said. */
function setStatus({ host: { machine } }: TestHost, queue: number, status: number): void {
  const pqap = machine.pqap.bind(machine);
  machine.pqap = (cpu) => {
    const { registers } = cpu;
    const isTapq = registers[1]! >>> 24 === 0 && (registers[1]! & 0xffff) === queue;
    const result = pqap(cpu);
    if (isTapq) registers[3] = status;
    return result;
  };
}

test.each([0x06, 0x0a, 0x0b, 0x42])(
  "a queue that answers with response code %i does not say what it is: EIO and a line",
  (responseCode) => {
    const { host, device } = side();
    setStatus(host, 0x0604, encodeStatus({ responseCode }));
    expect([device.load(sent()), host.matrix(first)]).toEqual(["EIO", []]);
    expect(host.log()).toEqual([`<3>vfio_ap_mdev ${first}: Failed to get hwinfo for queue 06.0004: TAPQ rc=${responseCode}`]);
  },
);

test.each([0x06, 0x0b])("a queue that answers with response code %i because of something that happened before does", (responseCode) => {
  const { host, device } = side();
  setStatus(host, 0x0604, encodeStatus({ responseCode, asynchronous: true }));
  expect([device.load(sent()), host.log()]).toEqual(["done", []]);
});

test.each([0x00, 0x02, 0x03, 0x04, 0x05])("a queue that answers with response code %i does", (responseCode) => {
  const { host, device } = side();
  setStatus(host, 0x0604, encodeStatus({ responseCode }));
  expect([device.load(sent()), host.log()]).toEqual(["done", []]);
});
