import { beforeAll, beforeEach, expect, test } from "vitest";
import type { GuestImage } from "../../src/host/guest-images/guest-image-folder.ts";
import { cachedGuestImage, guestStartMs, whyNoGuests } from "../guests/stock-guest.ts";
import { domainXml, hostdevXml, useDomainHost } from "./domain-host.ts";

/** A domain with a kernel: an unmodified Linux, whose processor, console and agent's port are a stock QEMU's and whose cards are the host's. */
const uuid = "62177883-f1bb-47f0-914d-32a22e3a8804";
const configuration = `name: real
machine: { model: z14, adapters: { 5: { type: CEX5C } }, usage-domains: [4] }
apmask: "-5"
mdevs:
  ${uuid}: { adapters: [5], domains: [4] }
`;
const agentChannel = "<channel type='unix'><target type='virtio' name='org.adjunct.agent.0'/></channel>";
const host = useDomainHost("real", { configuration, libvirt: "9" });
const reason = whyNoGuests();
let image: GuestImage;

beforeAll(() => {
  if (reason === undefined) image = cachedGuestImage("debian-12");
}, guestStartMs);
beforeEach((context) => {
  if (reason !== undefined) context.skip(reason);
});

test("a domain with a kernel boots it: programs and its console's shell see the cards, which come and go", async () => {
  const boot = `<kernel>${image.kernel}</kernel><initrd>${image.initrd}</initrd><cmdline>${image.commandLine}</cmdline></os>`;
  const xml = domainXml("real", hostdevXml(uuid) + agentChannel).replace("</os>", boot);
  const hostdev = host.sandbox.file("hostdev.xml", hostdevXml(uuid));
  expect(await host.type(`virsh -q define ${host.sandbox.file("real.xml", xml)} && virsh -q start real`)).toBe("");
  expect(await host.typeInGuest("real", "lszcrypt -V")).toMatch(/^05\.0004 +CEX5C CCA-Coproc +online .* cex4queue *$/m);
  // A shell is on its console.
  const console = 'exec 3<> "$(virsh -q ttyconsole real)"; echo lszcrypt >&3; timeout 30 grep -m 1 -o "05.0004.*online" <&3';
  expect(await host.type(console)).toMatch(/^05\.0004 +CEX5C CCA-Coproc +online\n$/);
  const queues = (): Promise<string> => host.typeInGuest("real", "echo 1 > /sys/bus/ap/scans; ls /sys/bus/ap/devices");
  expect(await host.type(`virsh -q detach-device real ${hostdev}`)).toBe("");
  expect(await queues()).toBe("");
  expect(await host.type(`virsh -q attach-device real ${hostdev}`)).toBe("");
  expect(await queues()).toBe("05.0004\ncard05\n");
  await host.type("virsh -q shutdown real");
  await expect.poll(() => host.type("virsh -q list --all"), { timeout: 30_000 }).toMatch(/^ - +real +shut off$/m);
});
