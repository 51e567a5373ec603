import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { programScript } from "../../src/guest/real/agent-protocol.ts";
import { cachedGuestImage, guestStartMs, StockGuest, whyNoGuests } from "./stock-guest.ts";

/** What `adjunct guest fetch` builds, booted by Debian's QEMU, and its agent. */
const reason = whyNoGuests();

describe.each(["debian-12", "debian-13"] as const)("a guest of the image %s", (name) => {
  let guest: StockGuest;
  beforeAll(async () => {
    if (reason === undefined) guest = await StockGuest.start(cachedGuestImage(name));
  }, guestStartMs);
  afterAll(() => guest?.close());
  beforeEach((context) => {
    if (reason !== undefined) context.skip(reason);
  });

  test("runs Debian's kernel for s390x with the driver of cards loaded", async () => {
    expect(await guest.text("uname -rm")).toBe(`${cachedGuestImage(name).kernelVersion} s390x\n`);
    expect(await guest.text("cut -d' ' -f1 /proc/modules | sort")).toMatch(/^zcrypt$/m);
    expect(await guest.text("test -c /dev/z90crypt && lszcrypt")).toBe("lszcrypt: Crypto device driver not available.\nstatus 1\n");
  });

  test.each([
    ["lszcrypt -v", /^lszcrypt:? version 2\./],
    ["chzcrypt -v", /^chzcrypt:? version 2\./],
    ["zcryptctl --version", /^zcryptctl:? version 2\./],
    ["lszdev --version", /^lszdev:? version 2\./],
    ["icainfo", /RSA ME/],
    ["icainfo-cex", /RSA/],
    ["icastats -h", /icastats/],
    ["openssl version", /^OpenSSL 3\./],
    ["echo 2 | openssl dgst -sha256", /53c234e5e8472b6ac51c1ae1cab3fe06fad053beb8ebfd8977b010655bfdd3c3/],
    ["openssl engine -t ibmca", /\[ available \]/],
    ["modprobe virtio_net && cat /proc/modules", /^virtio_net .*\n(.*\n)*net_failover/],
  ])("has %s with its libraries", async (command, expected) => {
    expect(await guest.text(command)).toMatch(expected);
  });

  test("its agent keeps output, errors and the exit status apart", async () => {
    expect(await guest.run("echo out; echo err >&2; exit 3")).toEqual({ status: 3, stdout: Buffer.from("out\n"), stderr: "err\n" });
    expect((await guest.run(programScript(["no-such-program"]))).status).toBe(127);
    expect((await guest.run("exit 255")).status).toBe(255);
  });

  test("its agent hands a program its arguments as they are", async () => {
    const words = ["", " a  b ", "it's", '"', "$HOME", "`id`", "\\", "*", "ü\n"];
    expect((await guest.run(programScript(["printf", "%s|", ...words], { LC_ALL: "C" }))).stdout.toString()).toBe(`${words.join("|")}|`);
  });

  test("a program that a signal ended has 128 and its number", async () => {
    expect(await guest.run("kill -9 $$")).toEqual({ status: 137, stdout: Buffer.alloc(0), stderr: "" });
    expect((await guest.run("kill -SEGV $$")).status).toBe(139);
  });

  test("a signal reaches a job with all it started", async () => {
    expect(await guest.run("echo here; sleep 1000", { signal: "TERM" })).toMatchObject({ status: 143 });
    expect(await guest.run("sleep 1001 & echo here; sleep 1001; echo never", { signal: "KILL" })).toMatchObject({ status: 137 });
    expect(await guest.text("ps | grep -c 'sleep 100[01]'")).toBe("0\nstatus 1\n");
  });

  test("bytes come through as they are, both ways", async () => {
    const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 7919 + (index >> 8)) & 255));
    const pieces = [bytes.subarray(0, 1), bytes.subarray(1, 200_000), bytes.subarray(200_000)];
    const { status, stdout, stderr } = await guest.run("tee /tmp/bytes", { stdin: pieces });
    expect({ status, stderr, isSame: stdout.equals(bytes) }).toEqual({ status: 0, stderr: "", isSame: true });
    expect(await guest.text("wc -c </tmp/bytes; rm /tmp/bytes")).toBe("300000\n");
  });

  test("a job with an empty input reads its end at once, one without input too", async () => {
    expect(await guest.run("cat; echo end", { stdin: [] })).toMatchObject({ status: 0, stdout: Buffer.from("end\n") });
    expect(await guest.text("cat; echo end")).toBe("end\n");
  });

  test("a job that does not read its input ends, and holds up no other", async () => {
    const idle = guest.run("echo here; sleep 1000", { stdin: [Buffer.alloc(500_000)], signal: "TERM" });
    expect(await guest.text("echo other")).toBe("other\n");
    expect((await idle).status).toBe(143);
    expect((await guest.run("head -c 3", { stdin: [Buffer.alloc(500_000, "x")] })).stdout.toString()).toBe("xxx");
  });

  test("jobs run side by side, each with its own output", async () => {
    const jobs = Array.from({ length: 8 }, (_, index) =>
      guest.run(`for i in 1 2 3; do echo ${index}; done; cat`, { stdin: [Buffer.from(`in ${index}`)] }),
    );
    const texts = (await Promise.all(jobs)).map(({ stdout }) => stdout.toString());
    expect(texts).toEqual(texts.map((_, index) => `${index}\n${index}\n${index}\nin ${index}`));
  });

  test("nothing of a job stays in the guest", async () => {
    expect(await guest.text("ls /run/adjunct-agent | grep -v taken | wc -l")).toBe("1\n");
  });

  test("has a shell on its console, started anew when it ends, and goes off by poweroff", async () => {
    const prompts = (): number => guest.console.match(/guest:\S*# /g)?.length ?? 0;
    const becomes = (isSo: () => boolean) => expect.poll(isSo, { timeout: 30_000, interval: 20 }).toBe(true);
    await becomes(() => prompts() === 1);
    guest.type("echo $((6 * 7)) is it; exit\n");
    await becomes(() => /^42 is it/m.test(guest.console) && prompts() === 2);
    guest.type("poweroff\n");
    expect(await guest.ended).toBe(0);
  });
});
