import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { QomObject } from "../objects/qom-object.ts";
import { loadTlsCredentials } from "./tls-credentials.ts";
import { type ToySide, toySide } from "./toy-hosts.ts";

let folder: string;

/** Two authorities, one of them a stranger's; each with a server's and a client's certificate. */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "adjunct-tls-"));
  for (const authority of ["ours", "stranger"]) makeFolder(join(folder, authority));
  mkdirSync(join(folder, "anonymous"));
  execFileSync("cp", [join(folder, "ours", "ca-cert.pem"), join(folder, "anonymous")]);
}, 60_000);

afterAll(() => rmSync(folder, { recursive: true }));

function makeFolder(path: string): void {
  mkdirSync(path);
  const openssl = (...words: string[]): Buffer => execFileSync("openssl", words, { cwd: path, stdio: "pipe" });
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  openssl("req", "-x509", ...newKey, "-keyout", "ca-key.pem", "-out", "ca-cert.pem", "-subj", "/CN=ca", "-days", "2");
  for (const endpoint of ["server", "client"]) {
    openssl("req", ...newKey, "-keyout", `${endpoint}-key.pem`, "-out", "request.pem", "-subj", `/CN=${endpoint}`);
    writeFileSync(join(path, "extensions"), "subjectAltName=DNS:target.example,IP:127.0.0.1\n");
    const signing = ["-CA", "ca-cert.pem", "-CAkey", "ca-key.pem", "-CAcreateserial", "-extfile", "extensions", "-days", "2"];
    openssl("x509", "-req", "-in", "request.pem", "-out", `${endpoint}-cert.pem`, ...signing);
  }
}

interface TlsOptions {
  readonly authority?: string;
  readonly verifiesPeer?: boolean;
  readonly hostname?: string;
}

function withTls(
  { emulator, migration }: ToySide,
  endpoint: string,
  { authority = "ours", verifiesPeer = true, hostname = "" }: TlsOptions,
): void {
  const values = { dir: join(folder, authority), endpoint, "verify-peer": verifiesPeer };
  emulator.machine.userObjects.add("tls0", new QomObject("tls-creds-x509", values));
  Object.assign(migration.parameters, { "tls-creds": "tls0", "tls-hostname": hostname });
}

async function migrated(
  client: TlsOptions | undefined,
  server: TlsOptions | undefined,
): Promise<{ source: ToySide; target: ToySide; problem: string | undefined }> {
  const [source, target] = [await toySide(), await toySide({ isIncoming: true })];
  if (client) withTls(source, "client", client);
  if (server) withTls(target, "server", server);
  await target.migration.listen({ type: "inet", host: "127.0.0.1", port: 0 }, { exitsOnError: true });
  const { problem } = await source.migration.begin(target.migration.listeningAddress!);
  for (const { emulator } of [source, target]) await emulator.exclusively(() => emulator.quit("host-signal"));
  return { source, target, problem };
}

const hasRun = ({ port }: ToySide): boolean => port.calls.includes("run");

describe("a migration over TLS", () => {
  test("moves the guest when both have certificates of one authority", async () => {
    const { target, problem } = await migrated({}, {});
    expect([problem, hasRun(target)]).toEqual([undefined, true]);
  });

  test("takes a host name to look for in the certificate", async () => {
    expect((await migrated({ hostname: "target.example" }, {})).problem).toBeUndefined();
    const { target, problem } = await migrated({ hostname: "another.example" }, {});
    expect([problem, hasRun(target)]).toEqual(["Certificate does not match the hostname another.example", false]);
  });

  test.each<[string, TlsOptions | undefined, TlsOptions | undefined]>([
    ["a client with a stranger's certificate", { authority: "stranger", verifiesPeer: false }, {}],
    ["a client without any", { authority: "anonymous" }, {}],
    ["a client that speaks no TLS", undefined, {}],
    ["a server with a stranger's certificate", {}, { authority: "stranger", verifiesPeer: false }],
  ])("does not move it to or from %s", async (_name, client, server) => {
    const { source, target, problem } = await migrated(client, server);
    expect(problem).toMatch(/^(TLS handshake failed|Unable to (read from|write to) socket)/);
    expect(hasRun(target)).toBe(false);
    expect(source.migration.status).toBe("failed");
    expect(target.migration.status).toBe("setup");
    await expect.poll(() => target.lines.join("\n")).toContain("TLS handshake failed");
  });

  test("asks a client for no certificate with verify-peer=off", async () => {
    expect((await migrated({ authority: "anonymous" }, { verifiesPeer: false })).problem).toBeUndefined();
  });
});

describe("credentials", () => {
  const text = async (prepare: (source: ToySide) => void): Promise<string | undefined> => {
    const [source, target] = [await toySide(), await toySide({ isIncoming: true })];
    prepare(source);
    await target.migration.listen({ type: "inet", host: "127.0.0.1", port: 0 }, { exitsOnError: true });
    const { problem } = await source.migration.begin(target.migration.listeningAddress!);
    for (const { emulator } of [source, target]) await emulator.exclusively(() => emulator.quit("host-signal"));
    return problem;
  };

  test.each<[string, (source: ToySide) => void]>([
    ["No TLS credentials with id 'tls0'", ({ migration }) => Object.assign(migration.parameters, { "tls-creds": "tls0" })],
    [
      "Object with id 's390.ram' is not TLS credentials",
      ({ migration }) => Object.assign(migration.parameters, { "tls-creds": "s390.ram" }),
    ],
    ["Expected TLS credentials for a client endpoint", (source) => withTls(source, "server", {})],
  ])("that are none are told: %s", async (problem, prepare) => {
    expect(await text(prepare)).toBe(problem);
  });

  test("whose files are missing are told with the file", () => {
    const missing = (name: string): string => `Unable to access credentials ${folder}/anonymous/${name}: No such file or directory`;
    const load = (endpoint: string, dir: string) => () => loadTlsCredentials(new Map(Object.entries({ endpoint, dir })));
    expect(load("server", `${folder}/anonymous`)).toThrow(missing("server-cert.pem"));
    expect(load("client", `${folder}/nosuch`)).toThrow(
      `Unable to access credentials ${folder}/nosuch/ca-cert.pem: No such file or directory`,
    );
  });
});
