import { withHost } from "../../host/known-hosts.ts";
import { type Command, exitStatus, guestOption, type Invocation, printResult, textOption, UsageError } from "../command.ts";
import { cardLines, cardReports } from "../crypto/card-report.ts";
import { CryptoClient } from "../crypto/crypto-client.ts";
import { keyLines, keyReports } from "../crypto/key-report.ts";
import { askLoop, loopLines, startLoop } from "../crypto/loop.ts";
import { randomBytesOf, randomLines } from "../crypto/random-bytes.ts";
import { rsaBits, rsaLines, runRsa } from "../crypto/rsa-run.ts";

/** Looks at the options at once, and asks the cards when there is a connection. */
type Action = (invocation: Invocation) => (client: CryptoClient) => Promise<void>;

const actions: Readonly<Record<string, Action>> = {
  rsa(invocation) {
    const bits = bitsOption(invocation);
    const operations = numberOption(invocation, "ops", 100, 1, 100_000);
    return async (client) => {
      const report = await runRsa(client, bits, operations, () => performance.now());
      printResult(invocation, report, () => rsaLines(report));
    };
  },
  random(invocation) {
    const count = numberOption(invocation, "bytes", 32, 1, 1024 * 1024);
    return async (client) => {
      const result = await randomBytesOf(client, count);
      printResult(invocation, result, () => randomLines(result));
    };
  },
  info: (invocation) => async (client) => {
    const reports = await cardReports(client);
    printResult(invocation, reports, () => cardLines(reports));
  },
  keys: (invocation) => async (client) => {
    const reports = await keyReports(client);
    printResult(invocation, reports, () => keyLines(reports));
  },
  loop(invocation) {
    const { show, stop } = invocation.options;
    const guest = textOption(invocation, "guest");
    if (guest === undefined) throw new UsageError("loop needs --guest: it runs in a guest and goes where that goes");
    if (textOption(invocation, "queue") !== undefined) throw new UsageError("--queue is not for loop: the guest's Linux chooses");
    if (show === true && stop === true) throw new UsageError("--show or --stop, not both");
    const bits = bitsOption(invocation);
    return async ({ client }) => {
      const report = show || stop ? await askLoop(client, guest, show ? "show" : "stop") : await startLoop(client, guest, bits);
      printResult(invocation, report, () => loopLines(guest, report));
    };
  },
};

export const crypto: Command = {
  name: "crypto",
  summary: "use the cards as a program of the host or of a guest does",
  arguments: [
    { name: "HOST", description: "the name of a running host" },
    {
      name: "ACTION",
      description:
        "rsa: operations verified by OpenSSL; random: random bytes; info: the cards; keys: the keys of each queue; loop: a guest signs and verifies until it is told to stop",
    },
  ],
  options: [
    guestOption,
    { flags: "--queue <queue>", description: "only this queue, such as 05.0004" },
    { flags: "--ops <n>", description: "rsa: so many operations of each kind, 100 unless given" },
    { flags: "--bits <n>", description: "rsa, loop: size of the key: 1024, 2048 (unless given) or 4096" },
    { flags: "--bytes <n>", description: "random: so many bytes, 32 unless given" },
    { flags: "--show", description: "loop: print what it has done so far" },
    { flags: "--stop", description: "loop: end it" },
  ],
  examples: [
    "adjunct crypto lpar1 rsa --ops 1000",
    "adjunct crypto lpar1 rsa --guest guest1 --bits 4096",
    "adjunct crypto lpar1 random --queue 05.0004 --bytes 64",
    "adjunct crypto lpar1 info --json",
    "adjunct crypto lpar1 loop --guest guest1",
    "adjunct crypto lpar1 loop --guest guest1 --show",
  ],
  async run(invocation) {
    const [name = "", word = ""] = invocation.arguments;
    const action = Object.hasOwn(actions, word) ? actions[word] : undefined;
    if (!action) throw new UsageError(`${word} is no action: ${Object.keys(actions).join(", ")}`);
    const act = action(invocation);
    const target = { guest: textOption(invocation, "guest"), queue: textOption(invocation, "queue") };
    await withHost(name, (client) => act(new CryptoClient(client, target)));
    return exitStatus.done;
  },
};

function bitsOption(invocation: Invocation): number {
  const bits = numberOption(invocation, "bits", 2048, 1, 4096);
  if (!(rsaBits as readonly number[]).includes(bits)) throw new UsageError(`--bits is one of ${rsaBits.join(", ")}, not ${bits}`);
  return bits;
}

function numberOption(invocation: Invocation, name: string, fallback: number, first: number, last: number): number {
  const text = textOption(invocation, name);
  if (text === undefined) return fallback;
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= first && value <= last) return value;
  throw new UsageError(`--${name} is a number from ${first} to ${last}, not ${text}`);
}
