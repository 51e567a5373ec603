import { beforeAll, describe, expect, test } from "vitest";
import { type Suite, suites, useToolHost } from "./tool-host.ts";

/** lszcrypt on a host with every kind of card, and every state of a queue that it tells apart. */
const host = useToolHost(
  "cards",
  `name: cards
machine:
  model: z16
  max-domain: 84
  adapters:
    0: { type: CEX8A }
    1: { type: CEX8C }
    2: { type: CEX8P }
    3: { type: CEX7C, functions: 0x92000000 }
    4: { type: CEX6P }
    0x1f: { type: CEX4A }
  usage-domains: [5, 6]
  control-domains: [5, 7]
apmask: "-4"
mdevs:
  62177883-f1bb-47f0-914d-32a22e3a8804: { adapters: [4], domains: [5] }
`,
);

beforeAll(async () => {
  await host.sandbox.adjunct("hw", "cards", "card", "deconfigure", "2");
  await host.sandbox.adjunct("hw", "cards", "card", "checkstop", "3", "on");
  await host.run("trixie", "echo 1 > /sys/bus/ap/scans; chzcrypt -d 0x1f; chzcrypt -d 01.0006; chzcrypt -q 5");
});

interface Row {
  readonly id: string;
  readonly type: string;
  readonly mode: string;
  readonly status: string;
  /** What Debian 12's prints instead: it knows nothing of checkstop and of vfio_ap's own words. */
  readonly oldStatus?: string;
  readonly hwtype: number;
  readonly functions: string;
  readonly driver: string;
}

const card = (id: string, type: string, mode: string, status: string, hwtype: number, functions: string): Row => ({
  id,
  type,
  mode,
  status,
  hwtype,
  functions,
  driver: "cex4card",
});
const queue = (of: Row, domain: string, status = of.status): Row => ({ ...of, id: `${of.id}.${domain}`, status, driver: "cex4queue" });
const passed = (of: Row, domain: string, status: string): Row => ({ ...queue(of, domain, status), oldStatus: "-", driver: "vfio_ap" });

const accelerator = card("00", "CEX8A", "Accelerator", "online", 14, "-MC-A-N---");
const cca = card("01", "CEX8C", "CCA-Coproc", "online", 14, "S--D--N-F-");
const deconfigured = card("02", "CEX8P", "EP11-Coproc", "deconfig", 14, "S----XN---");
const checkstopped = { ...card("03", "CEX7C", "CCA-Coproc", "chkstop", 13, "S--D--N---"), oldStatus: "offline" };
const ep11 = card("04", "CEX6P", "EP11-Coproc", "online", 12, "S----XN---");
const offline = card("1f", "CEX4A", "Accelerator", "offline", 10, "-MC-A-N---");
const rows: readonly Row[] = [
  ...[accelerator, queue(accelerator, "0005"), queue(accelerator, "0006")],
  ...[cca, queue(cca, "0005"), queue(cca, "0006", "offline")],
  ...[deconfigured, queue(deconfigured, "0005"), queue(deconfigured, "0006")],
  ...[checkstopped, queue(checkstopped, "0005"), queue(checkstopped, "0006")],
  ...[ep11, passed(ep11, "0005", "assigned"), passed(ep11, "0006", "unassigned")],
  ...[offline, queue(offline, "0005"), queue(offline, "0006")],
];

/** Width of a column; negative: at its right. */
const layouts = {
  bookworm: { title: "CARD.DOMAIN", widths: [11, 5, 11, 8, -8, -8, -6, -6, 10, 11] },
  trixie: { title: "CARD.DOM", widths: [8, 5, 11, 10, -8, -8, -6, -6, 10, 11] },
} as const;
const titles = ["TYPE", "MODE", "STATUS", "REQUESTS", "PENDING", "HWTYPE", "QDEPTH", "FUNCTIONS", "DRIVER"];

function table(suite: Suite, shown: readonly Row[], columns: 5 | 10): string {
  const { title, widths } = layouts[suite];
  const line = (cells: readonly string[]): string =>
    cells
      .slice(0, columns)
      .map((cell, index) => (widths[index]! < 0 ? cell.padStart(-widths[index]!) : cell.padEnd(widths[index]!)))
      .join(" ");
  const header = line([title, ...titles]);
  return [header, "-".repeat(header.length), ...shown.map((row) => line(cells(suite, row))), ""].join("\n");
}

function cells(suite: Suite, row: Row): string[] {
  const { id, type, mode, hwtype, functions, driver } = row;
  const isOld = suite === "bookworm";
  const isDeconfigured = row.status === "deconfig";
  const pending = driver === "vfio_ap" ? (isOld ? "0" : "-") : isDeconfigured && !isOld ? "-" : "0";
  return [
    ...[id, type, mode, isOld ? (row.oldStatus ?? row.status) : row.status, isDeconfigured && !isOld ? "-" : "0", pending],
    // Debian's versions add one to what the kernel shows.
    ...[String(hwtype), "09", isOld ? functions.slice(0, 7) + functions.slice(8) : functions, driver],
  ];
}

const isCard = ({ id }: Row): boolean => !id.includes(".");

describe.each(suites)("lszcrypt of %s", (suite) => {
  const prints = async (command: string, text: string): Promise<void> => expect(await host.text(suite, command)).toBe(text);
  const visible = rows.filter(({ driver }) => driver !== "vfio_ap");

  test("lists cards and queues of the host's own drivers", () => prints("lszcrypt", table(suite, visible, 5)));

  test.each(["-V", "-VV", "-VVV", "--verbose"])("%s lists everything, with hardware and drivers", (option) =>
    prints(`lszcrypt ${option}`, table(suite, rows, 10)),
  );

  test("takes a card, a queue, a domain, or several", async () => {
    const some = (pattern: RegExp): string =>
      table(
        suite,
        visible.filter(({ id }) => pattern.test(id)),
        5,
      );
    await prints("lszcrypt 1", some(/^01/));
    await prints("lszcrypt 0x1f", some(/^1f/));
    await prints("lszcrypt 01.0006", some(/^01\.0006$/));
    await prints("lszcrypt 1.6", some(/^01\.0006$/));
    await prints("lszcrypt .5", some(/\.0005$/));
    // Debian 12's goes no further than the first card.
    await prints("lszcrypt 0 1.5", some(suite === "bookworm" ? /^00/ : /^00|^01\.0005/));
    await prints(
      "lszcrypt -V 4",
      table(
        suite,
        rows.filter(({ id }) => id.startsWith("04")),
        10,
      ),
    );
  });

  test("says which device it does not find", async () => {
    const nothing = table(suite, [], 5);
    await prints("lszcrypt 9", `lszcrypt: Error - cryptographic device card09 does not exist.\n${nothing}status 1\n`);
    await prints("lszcrypt zz", `${nothing}Invalid adpater id!\n`);
  });

  test("-b shows the attributes of the bus", async () => {
    const features = suite === "trixie" ? "features: APSC APXA\n" : "";
    await prints(
      "lszcrypt -b",
      `${features}ap_domain=0x5\nap_max_domain_id=0x54\nap_interrupts are enabled\nconfig_time=30 (seconds)\npoll_thread is disabled\npoll_timeout=250000 (nanoseconds)\n`,
    );
  });

  test("-d shows which domains are for use and control", async () => {
    const row = (label: number): string => {
      const marks = Array.from({ length: 16 }, (_, column) => ({ 5: " B", 6: " U", 7: " C" })[label + column] ?? " .");
      return `${label.toString(16).padStart(2, "0").padStart(6)} ${marks.join(" ")}`;
    };
    const rule = "-".repeat(54);
    const numbers = Array.from({ length: 16 }, (_, column) => column.toString(16).padStart(2, "0")).join(" ");
    const text = [
      `DOMAIN ${numbers}`,
      rule,
      ...Array.from({ length: 16 }, (_, index) => row(16 * index)),
      rule,
      "C: Control domain",
      "U: Usage domain",
      "B: Both (Control + Usage domain)",
      "",
    ].join("\n");
    await prints("lszcrypt -d", text);
  });

  test("-c says what a card can do", async () => {
    const message = suite === "trixie" ? "AP bus max message size limit 12 Kb\n" : "";
    await prints("lszcrypt -c 4", `card04 provides capability for:\nEP11 Secure Key\n${message}`);
    await prints("lszcrypt -c 3", `card03 provides capability for:\nRSA 4K Clear Key\nCCA Secure Key\nLong RNG\n${message}`);
    await prints("lszcrypt -c 0x1f", `card1f provides capability for:\nRSA 4K Clear Key\n${message}`);
    await prints("lszcrypt -c 9", "lszcrypt: Error - cryptographic device card09 does not exist.\nstatus 1\n");
    await prints("lszcrypt -c 300", "lszcrypt: Error - '300' is an invalid cryptographic device id.\nstatus 1\n");
  });

  test("its usage text names it as it was typed", async () => {
    await prints("lszcrypt --no-such", "lszcrypt: Invalid option '--no-such'\nTry 'lszcrypt --help' for more information.\nstatus 1\n");
    expect(await host.text(suite, "lszcrypt --help")).toMatch(/^Usage: lszcrypt \[OPTIONS\] \[DEVICE_IDS\]/);
  });
});

describe("lszcrypt of a newer Debian", () => {
  const prints = async (command: string, text: string): Promise<void> => expect(await host.text("trixie", command)).toBe(text);
  const list = (filter: (row: Row) => boolean): string =>
    table(
      "trixie",
      rows.filter((row) => row.driver !== "vfio_ap" && filter(row)),
      5,
    );

  test("filters by kind of card, and by cards and queues", async () => {
    await prints(
      "lszcrypt --accelonly",
      list(({ type }) => type.endsWith("A")),
    );
    await prints(
      "lszcrypt --ccaonly",
      list(({ type }) => type.endsWith("C")),
    );
    await prints(
      "lszcrypt --ep11only",
      list(({ type }) => type.endsWith("P")),
    );
    await prints("lszcrypt --cardonly", list(isCard));
    await prints(
      "lszcrypt --queueonly",
      list((row) => !isCard(row)),
    );
    await prints(
      "lszcrypt --ep11only --cardonly",
      list((row) => isCard(row) && row.type.endsWith("P")),
    );
    await prints(
      "lszcrypt --ccaonly --queueonly",
      list((row) => !isCard(row) && row.type.endsWith("C")),
    );
  });

  test("refuses two filters of a kind", async () => {
    await prints(
      "lszcrypt --accelonly --ccaonly",
      "lszcrypt: Only one of --accelonly or --ccaonly or --ep11only can be specified\nstatus 1\n",
    );
    await prints("lszcrypt --cardonly --queueonly", "lszcrypt: Only one of --cardonly or --queueonly can be specified\nstatus 1\n");
  });

  test("-s lists the serial numbers of coprocessors", async () => {
    const text = await host.text("trixie", "lszcrypt -s");
    expect(text.split("\n").slice(0, 2)).toEqual(["CARD.DOM TYPE  MODE        STATUS     SERIALNR", "-".repeat(46)]);
    const shown = text.split("\n").slice(2, -1);
    expect(shown.map((line) => line.slice(0, 37))).toEqual(
      [cca, deconfigured, checkstopped, ep11].map(({ id, type, mode, status }) =>
        `${id.padEnd(8)} ${type} ${mode.padEnd(11)} ${status.padEnd(10)}`.slice(0, 37),
      ),
    );
  });

  test("-c says what a queue can do, and shows its master keys", async () => {
    expect(await host.text("trixie", "lszcrypt -c 01.0005")).toMatch(
      /^queue 01\.0005 capabilities:\nMK AES CUR: \S.*\nMK APKA CUR: \S.*\nMK ASYM CUR: \S.*\n$/,
    );
    expect(await host.text("trixie", "lszcrypt -c 00.0005")).toBe("queue 00.0005 capabilities:\n");
    await prints("lszcrypt -c 01.0009", "lszcrypt: Error - cryptographic queue device 01.0009 does not exist.\nstatus 1\n");
    await prints("lszcrypt -c 0", "card00 provides capability for:\nRSA 4K Clear Key\nAP bus max message size limit 48 Kb\n");
    await prints(
      "lszcrypt -c 1",
      "card01 provides capability for:\nRSA 4K Clear Key\nCCA Secure Key (full function set)\nLong RNG\nAP bus max message size limit 48 Kb\n",
    );
  });
});
