import { beforeEach, describe, expect, test } from "vitest";
import { type Suite, suites, useToolHost } from "./tool-host.ts";

/** chzcrypt in every form: what it prints, and what it changes. */
const polled = useToolHost(
  "polled",
  `name: polled
machine:
  model: z16
  facilities: [ap, qci, apft, apxa]
  adapters: { 1: { type: CEX8C } }
  usage-domains: [5]
`,
);
const host = useToolHost(
  "cards",
  `name: cards
machine:
  model: z16
  adapters:
    0: { type: CEX8A }
    1: { type: CEX8C }
    2: { type: CEX8P }
  usage-domains: [5, 6]
`,
);

const online = async (suite: Suite): Promise<string> => {
  const text = await host.text(
    suite,
    "cd /sys/devices/ap && for d in card00 card01 card02 card01/01.0006; do echo $d $(cat $d/online); done",
  );
  return text.replaceAll(/card0([0-2]) ([01])\n/g, "$1:$2 ").replace(/card01\/01\.0006 ([01])\n/, "1.6:$1");
};

describe.each(suites)("chzcrypt of %s", (suite) => {
  const prints = async (command: string, text: string): Promise<void> => expect(await host.text(suite, command)).toBe(text);

  beforeEach(async () => {
    await host.run(suite, "chzcrypt --config-on 2; chzcrypt -e -a");
  });

  test("-d and -e take cards and queues, in every form of a name", async () => {
    await prints("chzcrypt -d 1", "");
    expect(await online(suite)).toBe("0:1 1:0 2:1 1.6:0");
    await prints("chzcrypt -e card01", "");
    expect(await online(suite)).toBe("0:1 1:1 2:1 1.6:1");
    await prints(
      "chzcrypt -V -d card02 01.0006 0x0",
      "Setting cryptographic device card02 offline\nSetting cryptographic device card01/01.0006 offline\nSetting cryptographic device card00 offline\n",
    );
    expect(await online(suite)).toBe("0:0 1:1 2:0 1.6:0");
    await prints("chzcrypt --enable --all", "");
    await prints("chzcrypt --disable -a", "");
    expect(await online(suite)).toBe("0:0 1:0 2:0 1.6:0");
  });

  test("a card that is deconfigured stays offline, with a warning", async () => {
    await prints("chzcrypt --config-off 2", "");
    await prints("chzcrypt --config-off 2", "chzcrypt: Warning - device card02 is already config off.\n");
    expect((await host.text(suite, "chzcrypt -e 2")).trim()).toBe("chzcrypt: Warning - device 2 is deconfigured, can't set to online.");
    expect(await host.text(suite, "cat /sys/devices/ap/card02/config")).toBe("0\n");
    await prints("chzcrypt --config-on card02", "");
    await prints("chzcrypt --config-on 02", "chzcrypt: Warning - device card02 is already config on.\n");
    expect(await host.text(suite, "cat /sys/devices/ap/card02/config")).toBe("1\n");
  });

  test("a queue of a card that is offline stays offline: what it reads back differs", async () => {
    await host.run(suite, "chzcrypt -d 1");
    await prints("chzcrypt -e 01.0006", "chzcrypt: Error - unable to set cryptographic device card01/01.0006 online.\nstatus 1\n");
  });

  test("refuses devices that are missing or misspelt", async () => {
    await prints("chzcrypt -e 9", "chzcrypt: Error - cryptographic device card09 does not exist.\nstatus 1\n");
    await prints("chzcrypt -d 01.0077", "chzcrypt: Error - cryptographic device card01/01.0077 does not exist.\nstatus 1\n");
    await prints("chzcrypt -e zz", "chzcrypt: Error - cryptographic device zz malformed.\nstatus 1\n");
    await prints("chzcrypt -d", "chzcrypt: Need to specify at least one device ID.\nstatus 1\n");
    await prints("chzcrypt", "chzcrypt: Error - missing argument.\nTry 'chzcrypt --help' for more information.\nstatus 1\n");
    await prints(
      "chzcrypt --config-on 2.5",
      "chzcrypt: Error - invalid device 2.5\n Config on/off is only valid for card devices.\nstatus 1\n",
    );
  });

  test("-c sets the time between scans, 5 to 120 seconds", async () => {
    await prints("chzcrypt -V -c 60", "Setting configuration timer to 60 seconds.\n");
    expect(await host.text(suite, "cat /sys/bus/ap/config_time")).toBe("60\n");
    const refusal = "chzcrypt: Error - unable to change configuration timer setting.\nstatus 1\n";
    await prints("chzcrypt -c 4", refusal);
    await prints("chzcrypt --config-time 121", refusal);
    await prints("chzcrypt --config_time x", "chzcrypt: Error - invalid configuration timeout 'x'.\nstatus 1\n");
    await prints("chzcrypt -c 30", "");
  });

  test("-t sets the time between polls, up to two minutes", async () => {
    await prints("chzcrypt -V -t 30000", "Setting poll timeout to 30000 seconds.\n");
    expect(await host.text(suite, "cat /sys/bus/ap/poll_timeout")).toBe("30000\n");
    await prints("chzcrypt -t 120000000001", "chzcrypt: Error - unable to change poll timeout setting.\nstatus 1\n");
    await prints("chzcrypt -t x", "chzcrypt: Error - invalid poll timeout 'x'.\nstatus 1\n");
    await prints("chzcrypt --poll-timeout 250000", "");
  });

  test("-q sets the default domain to one that the host uses", async () => {
    await prints("chzcrypt -V -q 6", "Setting default domain to 6.\n");
    expect(await host.text(suite, "cat /sys/bus/ap/ap_domain")).toBe("6\n");
    await prints("chzcrypt --default-domain 5", "");
    await prints("chzcrypt -q 999", "chzcrypt: Error - invalid default domain '999'.\nstatus 1\n");
    await host.run(suite, "echo -6 > /sys/bus/ap/aqmask");
    await prints("chzcrypt -q 6", "chzcrypt: Error - unable to change default domain.\nstatus 1\n");
    await host.run(suite, "echo +6 > /sys/bus/ap/aqmask");
  });

  test("-p starts no thread where there are interrupts, as in the kernel, and does where there are none", async () => {
    await prints("chzcrypt -p", "chzcrypt: Error - unable to change poll thread setting.\nstatus 1\n");
    await prints("chzcrypt -V -n", "Disabling poll thread.\n");
    expect(await polled.text(suite, "chzcrypt -V -p; cat /sys/bus/ap/poll_thread")).toBe("Enabling poll thread.\n1\n");
    expect(await polled.text(suite, "lszcrypt -b | grep -e interrupts -e thread")).toBe(
      "ap_interrupts are disabled\npoll_thread is enabled\n",
    );
    expect(await polled.text(suite, "chzcrypt -n; cat /sys/bus/ap/poll_thread")).toBe("0\n");
  });
});

test.each(["--se-bind 01.0005", "--se-associate 5 01.0005", "--se-unbind 01.0005"])(
  "chzcrypt of a newer Debian refuses %s: the machine has no AP for Secure Execution",
  async (words) => {
    expect(await host.text("trixie", `chzcrypt ${words}`)).toBe("chzcrypt: Error - AP bus: SE bind support is not available.\nstatus 1\n");
  },
);
