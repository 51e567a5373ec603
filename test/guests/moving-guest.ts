import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AgentConnection } from "../../src/guest/real/agent-connection.ts";
import { agentPortName } from "../../src/guest/real/agent-protocol.ts";
import { RealGuestPort } from "../../src/guest/real/real-guest-port.ts";
import { CommandGuestPort } from "../../src/host/command-guest-port.ts";
import { configurationFrom } from "../../src/host/configuration-file.ts";
import { startConfiguredMdevs } from "../../src/host/configured-mdevs.ts";
import type { GuestImage } from "../../src/host/guest-images/guest-image-folder.ts";
import { startRuntime } from "../../src/host/start-runtime.ts";
import type { GuestDescription } from "../../src/qemu/guest-port.ts";
import type { Runtime } from "../../src/runtime/runtime.ts";

const mib = 2 ** 20;
const memoryMib = 256;
const uuid = "62177883-f1bb-47f0-914d-32a22e3a8804";
const description: GuestDescription = { name: "guest1", features: { ap: true, apqci: true, apft: true, apqi: false } };

/** A host in this process with an accelerator that its guest has. */
export function startCardHost(name: string): Promise<Runtime> {
  const configuration = configurationFrom({
    name,
    machine: { model: "z16", adapters: { 5: { type: "CEX7A" } }, "max-domain": 255, "usage-domains": [4] },
    apmask: "-5",
    mdevs: { [uuid]: { adapters: [5], domains: [4] } },
  });
  return startRuntime({
    configuration: { ...configuration, rules: { modules: [] } },
    mountPoint: undefined,
    clock: "real",
    onEvent: () => {},
    onFault: (error) => process.emitWarning(error),
  }).then(async (runtime) => {
    await startConfiguredMdevs(configuration.mdevs, (request) => runtime.command(request));
    return runtime;
  });
}

/** One side of a real guest: a RealGuestPort of a host, and the agent of the guest that runs there. */
export class MovingGuest {
  /** How its stock QEMU ended by itself. */
  stockEnd: string | undefined;
  #isClosed = false;

  private constructor(
    readonly host: Runtime,
    readonly port: RealGuestPort,
    private readonly folder: string,
    private readonly agent: AgentConnection,
    /** What its stock QEMU and its processors complained of. */
    readonly reports: readonly string[],
  ) {
    port.listen({
      deviceRequested() {},
      guestStopped() {},
      hostEnded() {},
      stockEnded: (how) => {
        this.stockEnd = how;
      },
    });
  }

  /** It has booted when its agent answers. */
  static async boot(host: Runtime, image: GuestImage): Promise<MovingGuest> {
    const guest = await MovingGuest.#create(host, image, description);
    await guest.port.run();
    return guest;
  }

  static awaited(host: Runtime, image: GuestImage): Promise<MovingGuest> {
    return MovingGuest.#create(host, image, { ...description, isIncoming: true });
  }

  static async #create(host: Runtime, { kernel, initrd, commandLine }: GuestImage, what: GuestDescription): Promise<MovingGuest> {
    const folder = mkdtempSync(join(tmpdir(), "adjunct-move-"));
    const words = ["-m", `${memoryMib}M`, "-nodefaults", "-display", "none", "-serial", "null", "-device", "virtio-serial-ccw"];
    words.push("-kernel", kernel, "-initrd", initrd, "-append", commandLine);
    words.push("-chardev", `socket,id=agent,path=${join(folder, "agent")},server=on,wait=off`);
    words.push("-device", `virtserialport,chardev=agent,name=${agentPortName}`);
    const reports: string[] = [];
    const hostPort = await CommandGuestPort.over((command) => host.command(command));
    const port = new RealGuestPort(
      hostPort,
      { words, memoryBytes: memoryMib * mib },
      { hasStdio: false, report: (line) => reports.push(line) },
    );
    await port.create(what);
    await port.plug(`/sys/devices/vfio_ap/matrix/${uuid}`);
    // As a host does: at once, whatever runs there.
    const agent = new AgentConnection(await connected(join(folder, "agent")));
    return new MovingGuest(host, port, folder, agent, reports);
  }

  async text(script: string): Promise<string> {
    await this.agent.ready();
    const pieces: Buffer[] = [];
    const take = (bytes: Buffer): void => void pieces.push(bytes);
    const status = await this.agent.run({ script, onOutput: take, onError: take }).status;
    return `${Buffer.concat(pieces)}${status === 0 ? "" : `status ${status}\n`}`;
  }

  /** Of the stock QEMU. */
  get pid(): number {
    const found = readdirSync("/proc").find((pid) => commandLineOf(pid).includes(join(this.folder, "agent")));
    if (found === undefined) throw new Error("no stock QEMU");
    return Number(found);
  }

  /** May be called more than once. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.port.destroy();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function connected(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once("connect", () => resolve(socket));
    socket.once("error", reject);
  });
}

function commandLineOf(pid: string): string {
  try {
    return readFileSync(join("/proc", pid, "cmdline"), "utf8");
  } catch {
    return "";
  }
}
