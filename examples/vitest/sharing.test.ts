import { type Host, startHost } from "adjunct-ap";
import { afterEach, beforeEach, expect, test } from "vitest";

const matrix = "/sys/devices/vfio_ap/matrix";
const mine = "11111111-1111-4111-8111-111111111111";
const theirs = "22222222-2222-4222-8222-222222222222";
let host: Host;

beforeEach(async () => {
  host = await startHost({
    name: "lpar1",
    machine: { model: "z16", adapters: { 5: { type: "CEX8C" } }, "usage-domains": [4, 5] },
    apmask: "-5",
    mdevs: { [theirs]: { adapters: [5], domains: [4] } },
  });
});
afterEach(() => host.stop());

test("a queue that another mediated device has cannot be assigned", async () => {
  await host.write(`${matrix}/mdev_supported_types/vfio_ap-passthrough/create`, mine);
  await host.write(`${matrix}/${mine}/assign_adapter`, "5");
  await expect(host.write(`${matrix}/${mine}/assign_domain`, "4")).rejects.toMatchObject({ code: "EADDRINUSE" });
  await host.write(`${matrix}/${mine}/assign_domain`, "5");
  expect(await host.read(`${matrix}/${mine}/matrix`)).toBe("05.0005\n");
});

test("a guest loses the queues of an adapter that the HMC takes away", async () => {
  await host.startGuest("guest1", { mdev: theirs });
  expect(await host.read(`${matrix}/${theirs}/guest_matrix`)).toBe("05.0004\n");
  await host.hw("card remove", 5);
  await host.write("/sys/bus/ap/scans", "1");
  expect(await host.read(`${matrix}/${theirs}/guest_matrix`)).toBe(".0004\n");
  expect((await host.status()).guests).toMatchObject([{ name: "guest1", apqns: [] }]);
});
