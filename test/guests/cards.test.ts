import { createCipheriv, randomBytes } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { launcher, type Outcome, Sandbox } from "../cli/sandbox.ts";
import { generateTestKey } from "../support/adapter-messages.ts";
import { compiledProgram, type GuestProgram, guestPrograms, whyNoPrograms } from "./programs.ts";
import { cachedGuestImage, guestImagesFolder, guestStartMs, whyNoGuests } from "./stock-guest.ts";

/** An unmodified Linux uses the cards of its mediated device: by programs of ours over the driver's ioctls, checked by OpenSSL outside. */
const reason = whyNoGuests() ?? whyNoPrograms();
const uuid = "62177883-f1bb-47f0-914d-32a22e3a8804";
const configuration = `name: cards
machine:
  model: z16
  master-keys: test
  adapters:
    5: { type: CEX8C }
    6: { type: CEX8A }
    7: { type: CEX8P }
  usage-domains: [4, 5]
  control-domains: [4, 5]
apmask: "-5,-6,-7"
mdevs:
  ${uuid}: { adapters: [5, 6, 7], domains: [4, 5], control-domains: [4, 5] }
guests:
  guest1: { cpu: "host,ap=on,apqci=on,apft=on", mdev: ${uuid}, linux: debian-12 }
`;

let sandbox: Sandbox;
beforeAll(async () => {
  if (reason !== undefined) return;
  cachedGuestImage("debian-12");
  sandbox = new Sandbox();
  sandbox.environment.ADJUNCT_GUEST_IMAGES_DIR = guestImagesFolder;
  await sandbox.up(sandbox.file("cards.yaml", configuration), "--no-mount");
  for (const name of guestPrograms) {
    const place = `cat >/usr/bin/${name}-test && chmod 755 /usr/bin/${name}-test`;
    const { status, stderr } = await sandbox.run(process.execPath, adjunct("sh", "-c", place), compiledProgram(name));
    if (status !== 0) throw new Error(stderr);
  }
}, guestStartMs);
afterAll(() => sandbox?.close());
beforeEach((context) => {
  if (reason !== undefined) context.skip(reason);
});

const adjunct = (...words: string[]): string[] => [launcher, "exec", "cards", "--guest", "guest1", "--", ...words];
const run = (name: GuestProgram, words: readonly string[], input = ""): Promise<Outcome> =>
  sandbox.run(process.execPath, adjunct(`${name}-test`, ...words), input);

async function shell(script: string): Promise<string> {
  const { status, stdout, stderr } = await sandbox.run(process.execPath, adjunct("sh", "-c", script));
  return `${stderr}${stdout}${status === 0 ? "" : `status ${status}\n`}`;
}

/** The digits that a program prints, as bytes; throws what it says instead. */
async function bytesOf(name: GuestProgram, ...words: string[]): Promise<Buffer> {
  const { status, stdout, stderr } = await run(name, words);
  if (status !== 0 || !/^(?:[0-9a-f]{2})+\n$/.test(stdout)) throw new Error(`${stderr.trim()}${stdout.trim()}`);
  return Buffer.from(stdout.trim(), "hex");
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

function withBit(bytes: Buffer, bit: number): Buffer {
  const altered = Buffer.from(bytes);
  altered[bit >> 3]! ^= 0x80 >> (bit & 7);
  return altered;
}

async function key(...words: string[]): Promise<void> {
  const { status, stderr } = await sandbox.adjunct("hw", "cards", "key", ...words);
  if (status !== 0) throw new Error(stderr);
}

describe.each([
  { mode: "a CCA coprocessor", card: "05", others: "6 7" },
  { mode: "an accelerator", card: "06", others: "5 7" },
])("RSA by $mode", ({ card, others }) => {
  beforeAll(async () => {
    if (reason === undefined) expect(await shell(`chzcrypt -d ${others}`)).toBe("");
  });
  afterAll(async () => {
    if (reason === undefined) expect(await shell("chzcrypt -e -a")).toBe("");
  });

  test.each([1024, 2048, 4096])("of %i bits is OpenSSL's, by exponents and by the Chinese remainder theorem", async (bits) => {
    const pair = generateTestKey(bits);
    const full = (part: Uint8Array, bytes = pair.bytes): string => hex(part).padStart(2 * bytes, "0");
    const half = (part: Uint8Array): string => full(part, pair.bytes / 2);
    const values = [randomBytes(pair.bytes), Buffer.alloc(pair.bytes), Buffer.alloc(pair.bytes)];
    for (const value of values) value[0] = 0;
    values[2]![pair.bytes - 1] = 1;
    const crt = [pair.p, pair.q, pair.dp, pair.dq, pair.u].map(half).join(" ");
    const lines = values.flatMap((value) => [
      `me ${full(value)} ${full(pair.e)} ${full(pair.n)}`,
      `me ${full(value)} ${full(pair.d)} ${full(pair.n)}`,
      `crt ${full(value)} ${crt}`,
    ]);
    const count = `cat /sys/devices/ap/card${card}/request_count`;
    const before = Number(await shell(count));
    const { status, stdout, stderr } = await run("rsa", [], `${lines.join("\n")}\n`);
    const results = values.flatMap((value) => [pair.encrypt(value), pair.decrypt(value), pair.decrypt(value)]);
    expect({ status, stderr, stdout }).toEqual({ status: 0, stderr: "", stdout: `${results.map(hex).join("\n")}\n` });
    expect(Number(await shell(count)) - before).toBe(lines.length);
  });

  test("with an even modulus ends with an error, and the next operation works", async () => {
    const pair = generateTestKey(1024);
    const value = `00${hex(randomBytes(127))}`;
    const exponent = hex(pair.e).padStart(256, "0");
    const even = hex(withBit(pair.n, 1023));
    const { stdout } = await run("rsa", [], `me ${value} ${exponent} ${even}\nme ${value} ${exponent} ${hex(pair.n)}\n`);
    expect(stdout).toBe(`errno 22\n${hex(pair.encrypt(Buffer.from(value, "hex")))}\n`);
  });
});

describe("a CCA coprocessor", () => {
  const cca = (action: string, word: string): Promise<Buffer> => bytesOf("cca", "5", "4", action, word);

  test("gives random numbers, also to the kernel", async () => {
    const [one, other] = [await cca("random", "4096"), await cca("random", "4096")];
    expect([one.length, other.length, one.equals(other)]).toEqual([4096, 4096, false]);
    expect(await shell("cat /sys/class/misc/hw_random/rng_available")).toContain("zcrypt");
  });

  test("says its serial number and the states of its master keys, as the driver's files do", async () => {
    const cells = (await run("cca", ["5", "4", "facility", "STATICSA"])).stdout.split("\n");
    expect(await shell("cat /sys/devices/ap/card05/serialnr")).toBe(`${cells[0]}\n`);
    expect(cells.slice(4, 10).map((cell) => cell[0])).toEqual(["1", "2", "1", "1", "2", "1"]);
    expect(await shell("grep 'AES CUR' /sys/devices/ap/card05/05.0004/mkvps")).toMatch(/^AES CUR: valid 0x[0-9a-f]{16}\n$/);
  });

  test.each(["128", "192", "256"])("generates an AES key of %s bits, whose token becomes a protected key", async (bits) => {
    const [token, other] = [await cca("generate", bits), await cca("generate", bits)];
    expect(token.length).toBe(64);
    const [one, again, another] = [await cca("protect", hex(token)), await cca("protect", hex(token)), await cca("protect", hex(other))];
    expect(one.length).toBe(Number(bits) / 8 + 32);
    expect(again).toEqual(one);
    expect(another.equals(one)).toBe(false);
  });

  test("imports a key in the clear: its tokens give the same protected key, another key's do not", async () => {
    const [clear, otherKey] = [hex(randomBytes(32)), hex(randomBytes(32))];
    const protectedBy = async (digits: string): Promise<string> => hex(await cca("protect", hex(await cca("import", digits))));
    const one = await protectedBy(clear);
    expect(await protectedBy(clear)).toBe(one);
    expect(await protectedBy(otherKey)).not.toBe(one);
  });

  test("refuses a token that was altered, wherever", async () => {
    const token = await cca("generate", "256");
    for (let bit = 0; bit < 512; bit += 37) {
      await expect(cca("protect", hex(withBit(token, bit))), `bit ${bit}`).rejects.toThrow(/^8\/\d+$/);
    }
    expect((await cca("protect", hex(token))).length).toBe(64);
  });

  test("refuses a token of other master keys until the same key is loaded again", async () => {
    const token = hex(await cca("generate", "256"));
    const before = await cca("protect", token);
    await key("load", "5", "4", "aes", "--part", "11".repeat(32), "--set");
    expect(await cca("protect", token)).toEqual(before);
    await key("load", "5", "4", "aes", "--part", "22".repeat(32), "--set");
    await expect(cca("protect", token)).rejects.toThrow(/^8\/48$/);
    await key("load", "5", "4", "aes", "--set");
    expect(await cca("protect", token)).toEqual(before);
    expect(await bytesOf("cca", "5", "5", "protect", token)).toEqual(before);
  });
});

describe("an EP11 coprocessor", () => {
  const ep11 = (...words: string[]): Promise<Buffer> => bytesOf("ep11", "7", "4", ...words);
  const forData = "00200c00";
  const forKeys = "00006c00";
  const iv = hex(randomBytes(16));

  test("describes itself and its domain, as the driver's files do", async () => {
    const module = await ep11("info", "1");
    const domain = await ep11("info", "3");
    expect(module.length).toBeGreaterThanOrEqual(196);
    expect(await shell("cat /sys/devices/ap/card07/serialnr /sys/devices/ap/card07/API_ordinalnr")).toBe(
      `${module.toString("latin1", 108, 124)}\n${module.readUInt32BE(0)}\n`,
    );
    expect(domain.readUInt32BE(0)).toBe(4);
    expect(await shell("grep CUR /sys/devices/ap/card07/07.0004/mkvps")).toBe(`WK CUR: valid 0x${hex(domain.subarray(4, 36))}\n`);
  });

  test.each(["128", "192", "256"])("encrypts and decrypts by an AES key of %s bits that it generated", async (bits) => {
    const blob = hex(await ep11("generate", bits, forData));
    for (const length of [1, 16, 1000]) {
      const clear = hex(randomBytes(length));
      const encrypted = await ep11("encrypt", blob, iv, clear);
      expect(encrypted.length).toBe((Math.floor(length / 16) + 1) * 16);
      expect(hex(await ep11("decrypt", blob, iv, hex(encrypted)))).toBe(clear);
    }
  });

  test("unwraps a key from outside, encrypts by it as OpenSSL does, and wraps it as the same protected key", async () => {
    const wrapping = hex(await ep11("generate", "256", forKeys));
    const clear = randomBytes(32);
    const wrapped = hex(await ep11("encrypt", wrapping, iv, hex(clear)));
    const blob = hex(await ep11("unwrap", wrapping, iv, wrapped, "256"));
    const again = hex(await ep11("unwrap", wrapping, iv, wrapped, "256"));
    const data = randomBytes(100);
    const cipher = createCipheriv("aes-256-cbc", clear, Buffer.from(iv, "hex"));
    expect(await ep11("encrypt", blob, iv, hex(data))).toEqual(Buffer.concat([cipher.update(data), cipher.final()]));
    const protectedKey = await ep11("wrap", blob);
    expect(protectedKey.length).toBe(64);
    expect(await ep11("wrap", again)).toEqual(protectedKey);
  });

  test("refuses a blob that was altered, wherever", async () => {
    const blob = await ep11("generate", "256", forData);
    for (let bit = 0; bit < 8 * blob.length; bit += 149) {
      await expect(ep11("encrypt", hex(withBit(blob, bit)), iv, "00"), `bit ${bit}`).rejects.toThrow(/^value [0-9a-f]+$/);
    }
    expect((await ep11("encrypt", hex(blob), iv, "00")).length).toBe(16);
  });

  test("refuses what the key may not do", async () => {
    const blob = hex(await ep11("generate", "256", forKeys));
    await expect(ep11("wrap", blob)).rejects.toThrow(/^value 6a$/);
  });

  test("refuses a blob of another wrapping key until the same key is loaded again", async () => {
    const blob = hex(await ep11("generate", "256", forData));
    const encrypted = await ep11("encrypt", blob, iv, "aa");
    await key("load", "7", "4", "ep11", "--part", "33".repeat(32), "--set");
    await expect(ep11("encrypt", blob, iv, "aa")).rejects.toThrow(/^value 80010001$/);
    await key("load", "7", "4", "ep11", "--set");
    expect(await ep11("encrypt", blob, iv, "aa")).toEqual(encrypted);
    expect(hex(await bytesOf("ep11", "7", "5", "decrypt", blob, iv, hex(encrypted)))).toBe("aa");
  });
});
