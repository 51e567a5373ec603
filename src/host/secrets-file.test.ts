import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Refusal } from "./control-protocol.ts";
import type { DomainSecrets } from "./domain-secrets.ts";
import { SecretsFile } from "./secrets-file.ts";

let folder: string;
let path: string;
const failures: string[] = [];
const secretsFile = (): SecretsFile => new SecretsFile(path, (text) => failures.push(text));

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "adjunct-secrets-"));
  path = join(folder, "master-keys");
  failures.length = 0;
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const domain = (queue: number, digit: string): DomainSecrets => ({
  queue,
  keys: { aes: { next: { key: digit.repeat(64), state: "partial" }, current: "b".repeat(64) }, asym: { old: "c".repeat(48) } },
});

async function filled(): Promise<SecretsFile> {
  const file = secretsFile();
  for (const each of [domain(0x0504, "1"), domain(0x05ab, "2")]) file.take(each);
  await file.saved();
  return file;
}

describe("the file of master keys", () => {
  test("is not there before there is a key", async () => {
    const file = secretsFile();
    await file.saved();
    expect(file.domains).toEqual([]);
    expect(existsSync(path)).toBe(false);
  });

  test("gives back what was taken, for its owner alone, and leaves nothing beside it", async () => {
    await filled();
    expect(secretsFile().domains).toEqual([domain(0x0504, "1"), domain(0x05ab, "2")]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(["master-keys"]);
  });

  test("has the last of many changes, and forgets a domain without keys", async () => {
    const file = await filled();
    for (let count = 0; count < 1000; count++) file.take(domain(0x0504, (count % 10).toString()));
    file.take({ queue: 0x05ab, keys: {} });
    await file.saved();
    expect(secretsFile().domains).toEqual([domain(0x0504, "9")]);
  });

  test("is whole whenever somebody looks", async () => {
    const file = await filled();
    let isOver = false;
    const writing = (async () => {
      for (let count = 0; count < 50; count++) {
        file.take(domain(0x0504, (count % 10).toString()));
        await file.saved();
      }
      isOver = true;
    })();
    let looks = 0;
    while (!isOver) {
      expect(secretsFile().domains).toHaveLength(2);
      looks++;
      await new Promise((resolve) => setImmediate(resolve));
    }
    await writing;
    expect(looks).toBeGreaterThan(10);
  });

  test("that a killed process left half written beside it does not count", async () => {
    await filled();
    writeFileSync(`${path}.new`, "half");
    const file = secretsFile();
    expect(file.domains).toHaveLength(2);
    file.take(domain(0x0500, "3"));
    await file.saved();
    expect(secretsFile().domains).toHaveLength(3);
  });
});

describe("what is there and cannot be used is refused, with the file and what to do", () => {
  const refusal = (): string => {
    try {
      secretsFile();
    } catch (error) {
      if (error instanceof Refusal) return error.message;
      throw error;
    }
    return "taken";
  };
  const around = (problem: string): string =>
    `the master keys in ${path} cannot be used: ${problem}; put a copy of the file back, or move it away to start without keys`;

  test("a file of something else", () => {
    for (const text of ["", "x", "hello".repeat(100)]) {
      writeFileSync(path, text);
      expect(refusal()).toBe(around("it is no file of master keys"));
    }
  });

  test("one altered byte, whichever it is", async () => {
    await filled();
    const bytes = readFileSync(path);
    for (let offset = 0; offset < bytes.length; offset++) {
      const altered = Buffer.from(bytes);
      altered[offset]! ^= 0x01;
      writeFileSync(path, altered);
      expect(refusal(), `byte ${offset}`).not.toBe("taken");
    }
    writeFileSync(path, bytes);
    expect(refusal()).toBe("taken");
  });

  test("a file that is cut off, or goes on", async () => {
    await filled();
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.subarray(0, -1));
    expect(refusal()).toBe(around("it is cut off or was added to"));
    writeFileSync(path, Buffer.concat([bytes, Buffer.of(0)]));
    expect(refusal()).toBe(around("it is cut off or was added to"));
  });

  test("another version of the format", async () => {
    await filled();
    const bytes = readFileSync(path);
    bytes.writeUInt32BE(2, 8);
    writeFileSync(path, bytes);
    expect(refusal()).toBe(around("it has version 2 of the format, this Adjunct knows version 1"));
  });

  test("good checksum, wrong content", async () => {
    const file = secretsFile();
    file.take({ queue: 5, keys: { aes: { current: "ab" } } });
    await file.saved();
    expect(refusal()).toBe(around("its content is not what a host writes"));
  });

  test("a file that would fill the memory", () => {
    writeFileSync(path, "");
    truncateSync(path, 65 * 1024 * 1024);
    expect(refusal()).toBe(around("it is larger than 67108864 bytes"));
  });

  test("a folder in its place", () => {
    path = folder;
    expect(refusal()).toBe(around("Is a directory (EISDIR)"));
  });
});

test("a write that fails is told to everybody who waits for it, until one succeeds", async () => {
  const file = await filled();
  const target = path;
  rmSync(folder, { recursive: true });
  file.take(domain(0x0504, "5"));
  const reason = `${target} cannot be written: No such file or directory (ENOENT); keys that changed are lost when the host ends`;
  await expect(file.saved()).rejects.toThrow(reason);
  await expect(file.saved()).rejects.toThrow(Refusal);
  expect(failures).toEqual([reason]);
  mkdirSync(folder);
  file.take(domain(0x0504, "6"));
  await file.saved();
  expect(secretsFile().domains).toEqual([domain(0x0504, "6"), domain(0x05ab, "2")]);
  expect(failures).toEqual([reason]);
});
