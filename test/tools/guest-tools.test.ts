import { beforeAll, describe, expect, test } from "vitest";
import { type Suite, suites, useToolHost } from "./tool-host.ts";

/** lszcrypt and chzcrypt in a model guest: they see the guest's bus, and what they change there does not reach the host. */
const uuid = "62177883-f1bb-47f0-914d-32a22e3a8804";
const host = useToolHost(
  "inside",
  `name: inside
machine:
  model: z16
  adapters:
    1: { type: CEX8C }
    4: { type: CEX7P }
    5: { type: CEX8A }
  usage-domains: [5, 6]
  control-domains: [5, 7]
apmask: "-4,-5"
mdevs:
  ${uuid}: { adapters: [4, 5], domains: [5, 6], control-domains: [5, 7] }
guests:
  guest1: { cpu: "host,ap=on,apqci=on,apft=on,apqi=on", mdev: ${uuid} }
`,
);

async function text(suite: Suite, command: string): Promise<string> {
  const words = ["env", `ADJUNCT_TOOLS_SUITE=${suite}`, "sh", "-c", command];
  const { stdout, stderr, status } = await host.sandbox.adjunct("exec", "inside", "--guest", "guest1", "--", ...words);
  return `${stderr}${stdout}${status === 0 ? "" : `status ${status}\n`}`;
}

interface Row {
  readonly id: string;
  readonly status?: "online" | "offline";
}

const cards = {
  "04": { type: "CEX7P", mode: "EP11-Coproc", hwtype: "13", functions: "S----XN---", driver: "cex4" },
  "05": { type: "CEX8A", mode: "Accelerator", hwtype: "14", functions: "-MC-A-N---", driver: "cex4" },
} as const;
/** Debian 12's has other widths and knows one function less. */
const layouts = {
  bookworm: { title: "CARD.DOMAIN", idWidth: 11, statusWidth: 8 },
  trixie: { title: "CARD.DOM", idWidth: 8, statusWidth: 10 },
} as const;
const everything: readonly Row[] = ["04", "04.0005", "04.0006", "05", "05.0005", "05.0006"].map((id) => ({ id }));

function table(suite: Suite, rows: readonly Row[], isVerbose = false): string {
  const { title, idWidth, statusWidth } = layouts[suite];
  const line = (id: string, type: string, mode: string, status: string, requests: string, more: readonly string[]): string => {
    const start = [id.padEnd(idWidth), type.padEnd(5), mode.padEnd(11), status.padEnd(statusWidth), requests.padStart(8)];
    const [pending = "", hwtype = "", depth = "", functions = "", driver = ""] = more;
    const end = [pending.padStart(8), hwtype.padStart(6), depth.padStart(6), functions.padEnd(10), driver.padEnd(11)];
    return [...start, ...(isVerbose ? end : [])].join(" ");
  };
  const header = line(title, "TYPE", "MODE", "STATUS", "REQUESTS", ["PENDING", "HWTYPE", "QDEPTH", "FUNCTIONS", "DRIVER"]);
  const lines = rows.map(({ id, status = "online" }) => {
    const { type, mode, hwtype, functions, driver } = cards[id.slice(0, 2) as keyof typeof cards];
    const shown = suite === "bookworm" ? functions.slice(0, 7) + functions.slice(8) : functions;
    return line(id, type, mode, status, "0", ["0", hwtype, "09", shown, `${driver}${id.includes(".") ? "queue" : "card"}`]);
  });
  return [header, "-".repeat(header.length), ...lines, ""].join("\n");
}

describe.each(suites)("in a guest, with the tools of %s,", (suite) => {
  const prints = async (command: string, expected: string): Promise<void> => expect(await text(suite, command)).toBe(expected);

  beforeAll(async () => {
    await text(suite, "chzcrypt -e -a; chzcrypt -c 30; chzcrypt -t 250000");
  });

  test("lszcrypt lists what the guest was given and no more", () => prints("lszcrypt", table(suite, everything)));

  test.each(["-V", "-VV", "-VVV"])("lszcrypt %s shows every queue bound to the guest's own drivers", (option) =>
    prints(`lszcrypt ${option}`, table(suite, everything, true)),
  );

  test("lszcrypt takes a card, a queue or a domain, and finds no card of the host's", async () => {
    const some = (pattern: RegExp): string =>
      table(
        suite,
        everything.filter(({ id }) => pattern.test(id)),
      );
    await prints("lszcrypt 4", some(/^04/));
    await prints("lszcrypt 05.0006", some(/^05\.0006$/));
    await prints("lszcrypt .5", some(/\.0005$/));
    await prints("lszcrypt 1", `lszcrypt: Error - cryptographic device card01 does not exist.\n${table(suite, [])}status 1\n`);
  });

  test("lszcrypt -b shows the guest's bus, which -c and -t of chzcrypt set", async () => {
    const bus = (seconds: number, nanoseconds: number): string =>
      [
        ...(suite === "trixie" ? ["features: APSC APXA"] : []),
        ...["ap_domain=0x5", "ap_max_domain_id=0x54", "ap_interrupts are enabled", `config_time=${seconds} (seconds)`],
        ...["poll_thread is disabled", `poll_timeout=${nanoseconds} (nanoseconds)`, ""],
      ].join("\n");
    await prints("lszcrypt -b", bus(30, 250_000));
    await prints("chzcrypt -V -c 60", "Setting configuration timer to 60 seconds.\n");
    await prints("chzcrypt -V -t 30000", "Setting poll timeout to 30000 seconds.\n");
    await prints("lszcrypt -b", bus(60, 30_000));
    expect(await host.text(suite, "cat /sys/bus/ap/config_time /sys/bus/ap/poll_timeout")).toBe("30\n250000\n");
    await prints("chzcrypt -c 4", "chzcrypt: Error - unable to change configuration timer setting.\nstatus 1\n");
    await prints("chzcrypt -t x", "chzcrypt: Error - invalid poll timeout 'x'.\nstatus 1\n");
  });

  test("lszcrypt -d shows the domains of the guest's control block", async () => {
    const printed = await text(suite, "lszcrypt -d");
    expect(printed.split("\n").slice(2, 4)).toEqual([
      "    00  .  .  .  .  .  B  U  C  .  .  .  .  .  .  .  .",
      "    10  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .",
    ]);
    expect(printed.match(/ [BCU]\b(?!:)/g)).toEqual([" B", " U", " C"]);
  });

  test("lszcrypt -c says what a card of the guest's can do", async () => {
    const message = suite === "trixie" ? "AP bus max message size limit 12 Kb\n" : "";
    await prints("lszcrypt -c 4", `card04 provides capability for:\nEP11 Secure Key\n${message}`);
    await prints("lszcrypt -c 1", "lszcrypt: Error - cryptographic device card01 does not exist.\nstatus 1\n");
  });

  test("chzcrypt -d and -e take cards and queues, in the guest alone", async () => {
    await prints(
      "chzcrypt -V -d 5 04.0005",
      "Setting cryptographic device card05 offline\nSetting cryptographic device card04/04.0005 offline\n",
    );
    const off = (id: string): boolean => id.startsWith("05") || id === "04.0005";
    const shown = everything.map(({ id }): Row => ({ id, status: off(id) ? "offline" : "online" }));
    await prints("lszcrypt", table(suite, shown));
    await prints("lszcrypt -V", table(suite, shown, true));
    expect(await host.text(suite, "cat /sys/devices/ap/card05/online /sys/devices/ap/card04/config")).toBe("1\n1\n");
    await prints("chzcrypt -e 05.0006", "chzcrypt: Error - unable to set cryptographic device card05/05.0006 online.\nstatus 1\n");
    await prints(
      "chzcrypt -V -e 5 04.0005",
      "Setting cryptographic device card05 online\nSetting cryptographic device card04/04.0005 online\n",
    );
    await prints("lszcrypt", table(suite, everything));
    await prints("chzcrypt -d 1", "chzcrypt: Error - cryptographic device card01 does not exist.\nstatus 1\n");
  });

  test("chzcrypt cannot configure a guest's card off", async () => {
    await prints("chzcrypt --config-off 5", "chzcrypt: Error - unable to set cryptographic device card05 config off.\nstatus 1\n");
    await prints("lszcrypt 5", table(suite, everything.slice(3)));
  });
});

describe("in a guest, with a newer Debian's,", () => {
  const prints = async (command: string, expected: string): Promise<void> => expect(await text("trixie", command)).toBe(expected);

  test("lszcrypt filters by kind of card, and by cards and queues", async () => {
    await prints("lszcrypt --accelonly", table("trixie", everything.slice(3)));
    await prints("lszcrypt --ccaonly", table("trixie", []));
    await prints("lszcrypt --ep11only --cardonly", table("trixie", [{ id: "04" }]));
    await prints(
      "lszcrypt --queueonly",
      table(
        "trixie",
        everything.filter(({ id }) => id.includes(".")),
      ),
    );
  });

  test("lszcrypt -s shows the start of the serial number that the card tells", async () => {
    const row = /^CARD\.DOM TYPE {2}MODE {8}STATUS {5}SERIALNR\n-+\n04 {7}CEX7P EP11-Coproc online {5}[0-9A-Z]{8}\n$/;
    expect(await text("trixie", "lszcrypt -s")).toMatch(row);
  });

  test("lszcrypt -c takes a queue", async () => {
    expect(await text("trixie", "lszcrypt -c 04.0005")).toMatch(/^queue 04\.0005 capabilities:\nMK WK CUR: .*\n$/);
    await prints("lszcrypt -c 01.0005", "lszcrypt: Error - cryptographic queue device 01.0005 does not exist.\nstatus 1\n");
  });
});
