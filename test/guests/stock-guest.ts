import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AgentConnection } from "../../src/guest/real/agent-connection.ts";
import { type AgentSignal, agentPortName } from "../../src/guest/real/agent-protocol.ts";
import { type CpioEntry, cpioArchive } from "../../src/host/guest-images/cpio.ts";
import { fetchGuestImage } from "../../src/host/guest-images/fetch-guest-image.ts";
import { type GuestImage, guestImagePlaces } from "../../src/host/guest-images/guest-image-folder.ts";
import type { GuestImageName } from "../../src/host/guest-images/guest-image-recipes.ts";
import { projectRoot } from "../cli/sandbox.ts";

/** Kept between test files and between runs. */
export const guestImagesFolder = process.env.ADJUNCT_GUEST_IMAGES_DIR ?? join(projectRoot, "node_modules/.cache/adjunct-guest-images");

export const cachedGuestImage = (name: GuestImageName): GuestImage => fetchGuestImage(name, () => {}, guestImagePlaces(guestImagesFolder));

/** For fetching an image and booting it on a machine that does much else. */
export const guestStartMs = 300_000;

const emulator = "qemu-system-s390x";

/** Why no guest can be started here; undefined if one can. */
export function whyNoGuests(): string | undefined {
  return spawnSync(emulator, ["--version"]).status === 0 ? undefined : `${emulator} is not installed (package qemu-system-misc)`;
}

export interface Finished {
  readonly status: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** An image under QEMU as it comes, without cards. */
export class StockGuest {
  readonly #process: ChildProcess;
  readonly #agent: AgentConnection;
  readonly #folder: string;
  /** QEMU's exit status. */
  readonly ended: Promise<number | null>;
  /** What its console has shown. */
  console = "";

  private constructor(emulatorProcess: ChildProcess, port: Socket, folder: string) {
    this.#process = emulatorProcess;
    this.#folder = folder;
    this.#agent = new AgentConnection(port);
    this.ended = new Promise((resolve) => emulatorProcess.once("exit", resolve));
    for (const stream of [emulatorProcess.stdout, emulatorProcess.stderr]) {
      stream?.on("data", (bytes: Buffer) => {
        this.console += bytes;
      });
    }
  }

  /** `files` are added to what the initramfs holds. Resolves when its agent answers. */
  static async start({ kernel, initrd, commandLine }: GuestImage, files: readonly CpioEntry[] = []): Promise<StockGuest> {
    const folder = mkdtempSync(join(tmpdir(), "adjunct-guest-"));
    // The kernel unpacks one archive after the other.
    const archives = join(folder, "initrd");
    writeFileSync(archives, Buffer.concat([readFileSync(initrd), cpioArchive(files)]));
    const socket = join(folder, "agent.sock");
    const server = createServer();
    const connected = new Promise<Socket>((resolve) => server.once("connection", resolve));
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    const machine = ["-cpu", "max", "-m", "512", "-nodefaults", "-nographic", "-serial", "stdio"];
    const boot = ["-kernel", kernel, "-initrd", archives, "-append", commandLine];
    const port = ["-device", "virtio-serial-ccw", "-chardev", `socket,id=agent,path=${socket}`];
    const device = ["-device", `virtserialport,chardev=agent,name=${agentPortName}`];
    const emulatorProcess = spawn(emulator, [...machine, ...boot, ...port, ...device], { stdio: ["pipe", "pipe", "pipe"] });
    const guest = new StockGuest(emulatorProcess, await connected, folder);
    server.close();
    await guest.#agent.ready();
    return guest;
  }

  type(text: string): void {
    this.#process.stdin?.write(text);
  }

  /** `signal` is sent when the job has first said something; `onOutput` hears of all that it says. */
  async run(
    script: string,
    {
      stdin,
      signal,
      onOutput,
    }: { readonly stdin?: readonly Uint8Array[]; readonly signal?: AgentSignal; readonly onOutput?: () => void } = {},
  ): Promise<Finished> {
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    const job = this.#agent.run({
      script,
      ...(stdin && { stdin: inTurn(stdin) }),
      onOutput: (bytes) => {
        if (signal && stdout.length === 0) job.signal(signal);
        onOutput?.();
        stdout.push(bytes);
      },
      onError: (bytes) => void stderr.push(bytes),
    });
    return { status: await job.status, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString() };
  }

  async text(script: string): Promise<string> {
    const { status, stdout, stderr } = await this.run(script);
    return `${stderr}${stdout}${status === 0 ? "" : `status ${status}\n`}`;
  }

  async close(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.ended;
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

async function* inTurn(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* pieces;
}
