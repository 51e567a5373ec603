import { describe, expect, test } from "vitest";
import { exampleHost, type TestHost, uuids } from "../../test/support/test-host.ts";
import { silentProcessor } from "../machine/adapter/processor.ts";
import { Wait } from "../sysfs/wait.ts";

const [uuid] = uuids;
const power = { do: "crypto", action: "power", input: "01".repeat(128), exponent: "03", modulus: "ff".repeat(128) };

/** The example with a guest that has both adapters. */
function withGuest(options: Parameters<typeof exampleHost>[1] = {}): TestHost {
  const host = exampleHost("7.2", options);
  host.createMdev(uuid, { adapters: [5, 6], domains: [4] });
  const guest = host.host.createGuest("guest1", { ap: true, qci: true, apft: true, apqi: true, msa3: true });
  host.run(() => host.host.openMdev(guest, uuid));
  guest.model?.run();
  host.host.settle();
  return host;
}

function ask(host: TestHost, command: object): unknown {
  const result = host.host.command(command);
  if (!(result instanceof Wait)) return result;
  host.host.settle();
  return result;
}

const errorOf = (wait: unknown): unknown => (wait instanceof Wait && wait.outcome && "error" in wait.outcome ? wait.outcome.error : wait);

describe("a request to the cards of a guest", () => {
  test("says by which queue it was done", () => {
    const result = ask(withGuest(), { ...power, guest: "guest1" });
    expect((result as Wait<unknown>).outcome).toEqual({
      value: { output: expect.stringMatching(/^[0-9a-f]{256}$/), queue: "06.0004", retries: 0 },
    });
  });

  test("is refused while the guest is paused", () => {
    const host = withGuest();
    host.guest("guest1").model?.pause();
    expect(() => ask(host, { ...power, guest: "guest1" })).toThrow("guest guest1 is paused: its programs run when it does");
    expect(ask(host, { do: "crypto", action: "cards", guest: "guest1" })).toMatchObject([{ name: "card05" }, { name: "card06" }]);
  });

  test.each<[string, (host: TestHost) => unknown]>([
    ["is reset", (host) => host.guest("guest1").model?.reset()],
    ["ends", (host) => host.host.destroyGuest(host.guest("guest1"))],
  ])("ends with ENODEV when the guest %s", (_title, end) => {
    const host = withGuest({ processor: silentProcessor });
    const wait = ask(host, { ...power, guest: "guest1" });
    expect((wait as Wait<unknown>).outcome).toBeUndefined();
    end(host);
    expect(errorOf(wait)).toMatchObject({ code: "ENODEV" });
  });
});

describe("a request to the cards of a host", () => {
  test("names a queue that is there and its own", () => {
    const host = withGuest();
    const refused = (queue: string): void => void ask(host, { ...power, queue });
    expect(() => refused("07.0004")).toThrow(/^no queue 07\.0004; there are: 05\.0004, 05\.0047, /);
    expect(() => refused("06.0004")).toThrow("queue 06.0004 is vfio_ap's, not the host's: guest guest1 uses it; --guest guest1 asks there");
    expect(() => refused("06.0047")).toThrow("queue 06.0047 is vfio_ap's, not the host's: it waits for a guest");
    host.write("/sys/bus/ap/drivers/vfio_ap/unbind", "06.00ab");
    expect(() => refused("06.00AB")).toThrow("queue 06.00ab has no driver");
  });

  test.each([
    ["odd digits", { ...power, input: "012" }],
    ["other letters", { ...power, modulus: "xx" }],
    ["more than a modulus can have", { ...power, input: "01".repeat(513) }],
    ["a part that is missing", { do: "crypto", action: "crt", input: "01" }],
    ["another action", { do: "crypto", action: "mine" }],
  ])("with %s is no command", (_title, command) => {
    expect(() => ask(withGuest(), command)).toThrow("not a command of a host");
  });
});
