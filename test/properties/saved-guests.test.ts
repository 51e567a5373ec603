import * as fc from "fast-check";
import { beforeAll, expect, test, vi } from "vitest";
import type { ModelGuest } from "../../src/guest/model/model-guest.ts";
import type { GenerationName } from "../../src/linux/generation.ts";
import { askingFiles, awaitModelGuest, hostWithMdev, linuxOf, startModelGuest, treeLines } from "../support/saved-guests.ts";
import { outcome, type TestHost, type TestHostOptions, uuids } from "../support/test-host.ts";
import { printSeed, propertyTimeoutMs, runParameters } from "./seed.ts";

/**
 * Random histories of a guest, at whose end it is saved and restored on a host with the same hardware: what was saved is what is saved again,
 * and nobody who reads its files can tell it from the guest that stayed.
 */
vi.setConfig({ testTimeout: propertyTimeoutMs });
beforeAll(() => printSeed("test/properties/saved-guests.test.ts"));

const [uuid] = uuids;
const hardware: TestHostOptions = {
  adapters: { 5: "CEX5C", 6: "CEX5A", 7: "CEX6P", 8: "CEX3C" },
  usage: [4, 0x47, 0xab, 0xff],
  control: [4],
};
const bus = "/sys/bus/ap";
const zcrypt = "/sys/class/zcrypt";

type Step = (target: { readonly host: TestHost; readonly guest: ModelGuest | undefined }) => void;

/** Something that the guest's user does. */
const guestStep =
  (act: (host: TestHost, guest: ModelGuest) => unknown): Step =>
  ({ host, guest }) =>
    void (guest && act(host, guest));

const writing = (path: string, text: string): Step =>
  guestStep((host, guest) => host.run(() => host.host.write(path, `${text}\n`, linuxOf(guest))));

const devices = fc.constantFrom("05.0004", "05.00ab", "06.0004", "06.00ab", "07.0004", "08.00ab", "card05", "card06", "card08");
const bits = fc.constantFrom("0", "1");

const guestSteps: fc.Arbitrary<Step>[] = [
  fc.tuple(devices, bits).map(([device, value]) => writing(`${bus}/devices/${device}/online`, value)),
  fc
    .tuple(devices, fc.constantFrom("vfio_ap", "cex4queue", ""))
    .map(([device, name]) => writing(`${bus}/devices/${device}/driver_override`, name)),
  devices.map((device) => writing(`${bus}/devices/${device}/request_count`, "0")),
  fc
    .tuple(devices, fc.constantFrom("cex4queue", "cex4card", "cex2cqueue", "cex2card", "vfio_ap"), fc.constantFrom("bind", "unbind"))
    .map(([device, driver, action]) => writing(`${bus}/drivers/${driver}/${action}`, device)),
  fc
    .tuple(fc.constantFrom("apmask", "aqmask"), fc.constantFrom("-5", "+5", "-6-8", "+0-255", "-4", "+4,-0xab"))
    .map(([name, text]) => writing(`${bus}/${name}`, text)),
  fc.constantFrom("5", "30", "120").map((text) => writing(`${bus}/config_time`, text)),
  fc.constantFrom("1000", "250000", "120000000000").map((text) => writing(`${bus}/poll_timeout`, text)),
  fc.constantFrom("0x47", "4").map((text) => writing(`${bus}/ap_domain`, text)),
  bits.map((text) => writing(`${bus}/drivers_autoprobe`, text)),
  fc.constant(writing(`${bus}/scans`, "1")),
  fc.constantFrom("", "one", "two").map((name) => writing(`${zcrypt}/create`, name)),
  fc.constantFrom("zcrypt_0", "one").map((name) => writing(`${zcrypt}/destroy`, name)),
  fc.constantFrom("+5", "0x8").map((text) => writing(`${zcrypt}/one/apmask`, text)),
  fc
    .constantFrom("vfio_ap", "zcrypt_cex4", "zcrypt_cex2c")
    .map((name) => guestStep((host, guest) => host.run(() => linuxOf(guest).modprobe(name)))),
  fc
    .constantFrom("vfio_ap", "zcrypt_cex4", "vfio", "zcrypt_cex2c")
    .map((name) => guestStep((host, guest) => host.run(() => linuxOf(guest).rmmod(name)))),
  fc.constant(
    guestStep((host) => {
      const numbers = { input: "01".repeat(64), exponent: "03", modulus: "ff".repeat(64) };
      return host.run(() => host.host.command({ do: "crypto", action: "power", guest: "guest1", ...numbers }));
    }),
  ),
  fc.constantFrom(1, 30, 3000, 31_000).map((ms) => guestStep((host) => host.advance(ms))),
];

/** What an administrator of the host, or of the machine, does. */
const hostSteps: fc.Arbitrary<Step>[] = [
  fc.tuple(fc.constantFrom(5, 6, 7, 8), fc.boolean()).map(
    ([id, isOn]) =>
      ({ host }) =>
        host.hardware((machine) => machine.setCheckstop(id, isOn)),
  ),
  fc.tuple(fc.constantFrom(5, 6, 7, 8), fc.boolean()).map(
    ([id, isOn]) =>
      ({ host }) =>
        host.hardware((machine) => machine.setConfigured(id, isOn)),
  ),
  fc.tuple(fc.constantFrom(4, 0xab), fc.boolean()).map(
    ([id, isOn]) =>
      ({ host }) =>
        host.hardware((machine) => machine.setUsageDomain(id, isOn)),
  ),
  fc.tuple(fc.constantFrom(5, 6, 7, 8), fc.constantFrom("assign", "unassign")).map(
    ([id, verb]) =>
      ({ host }) =>
        void host[verb as "assign"](uuid, "adapter", id),
  ),
];

const history = fc.array(fc.oneof(...guestSteps, ...hostSteps), { maxLength: 12 });

/** Where the first look at what a restored guest has asks the platform, or tells of what was under way. */
const ofTheMoment = new RegExp(`${askingFiles.source}|/(interrupt|reset|load|requestq_count|pendingq_count)$|\\.[0-9a-f]{4}/ap_functions$`);

function move(kernel: GenerationName, steps: readonly Step[]): boolean {
  const there = hostFor(kernel);
  const here = hostFor(kernel);
  const source = startModelGuest(there);
  // What a used device refuses, it refuses on both hosts.
  here.startGuest("holder", uuid);
  for (const step of steps) {
    attempt(() => step({ host: there, guest: source }));
    attempt(() => step({ host: here, guest: undefined }));
  }
  here.stopGuest("holder");
  source.pause();
  const saved = source.save();
  const target = awaitModelGuest(here);
  target.restore(saved);
  expect(target.save()).toEqual(saved);
  expect(treeLines(linuxOf(target).root, ofTheMoment)).toEqual(treeLines(linuxOf(source).root, ofTheMoment));
  for (const [host, guest] of [
    [there, source],
    [here, target],
  ] as const) {
    guest.run();
    host.advance(130_000);
  }
  // A guest does not notice that a card went and came again between two scans and interrupts no more; one that moves asks for interrupts anew.
  const without = new RegExp(`${askingFiles.source}|/interrupt$`);
  expect(treeLines(linuxOf(target).root, without)).toEqual(treeLines(linuxOf(source).root, without));
  expect(linuxOf(target).log.lines.map(({ text }) => text)).toEqual(linuxOf(source).log.lines.map(({ text }) => text));
  return true;
}

/** A refusal is an answer like another. */
function attempt(act: () => void): void {
  outcome(() => {
    act();
    return "done";
  });
}

function hostFor(kernel: GenerationName): TestHost {
  const host = hostWithMdev(kernel, hardware);
  host.write("/sys/bus/ap/apmask", "-7,-8\n");
  host.assign(uuid, "adapter", 7);
  host.assign(uuid, "adapter", 8);
  return host;
}

test.each<[GenerationName, number]>([
  ["7.2", 60],
  ["7.2-migration", 30],
  ["6.12", 40],
  ["6.1", 40],
  ["4.20", 30],
])("a guest of a %s host that moved after any history is the guest that stayed", (kernel, runs) => {
  const property = fc.property(history, (steps) => move(kernel, steps));
  void fc.assert(property, runParameters(runs));
});
