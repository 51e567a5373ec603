import { type Apqn, adapterOf, apqn, apqnName, domainOf } from "../../../src/ap/apqn.ts";
import { type ApMasks, noMasks } from "../../../src/kvm/crycb.ts";
import { masksEqual } from "../../../src/linux/vfio-ap/matrix-mdev.ts";
import { decodeConfiguration, masksOf } from "../../../src/linux/vfio-ap/migration/configuration-data.ts";
import { MigratingDevice } from "../../support/migrating-device.ts";
import { TestHost, uuids } from "../../support/test-host.ts";
import { domains, type Stream, type WordsOf } from "./streams.ts";

/**
 * A host that streams come to: guest1 waits with a device of its own configuration, guest2 has queues that some streams want, too, and
 * some queues are the host's or nobody's.
 */
const [first, second] = uuids;
const bus = "/sys/bus/ap";

export class Destination {
  readonly #host: TestHost;
  readonly #device: MigratingDevice;
  /** What brings guest1 back to what it had at first. */
  readonly #good: Buffer;
  readonly #atFirst: ApMasks;

  constructor() {
    const host = new TestHost({
      kernel: "7.2-migration",
      adapters: { 5: "CEX5C", 6: "CEX5A", 7: "CEX7P", 8: "CEX8C" },
      usage: domains,
      control: [4, 0x47, 0xab],
    });
    this.#host = host;
    host.write(`${bus}/apmask`, "-5,-6,-7\n");
    host.write(`${bus}/aqmask`, "-4,-0x47,-0xab\n");
    host.write(`${bus}/drivers/vfio_ap/unbind`, "08.0004");
    host.createMdev(first, { adapters: [6], domains: [0xab], control: [0xab] });
    host.createMdev(second, { adapters: [7], domains: [0x47], control: [0x47] });
    host.startGuest("guest1", first);
    host.startGuest("guest2", second);
    this.#device = new MigratingDevice(host);
    this.#atFirst = this.#matrix;
    this.#good = this.#device.save();
    this.#device.setState("running");
  }

  readonly wordsOf: WordsOf = (adapter) => this.#host.host.linux.bus.instructions.tapq(apqn(adapter, domains[0]));

  /** Takes a stream on after a refusal, too; `done`, `incomplete` or the first errno. Throws where anything is as it must not be. */
  take({ pieces }: Stream): string {
    expectDone(this.#device.setState("resuming"));
    const answer = this.#writeAll(pieces);
    this.#checkOwners();
    expectDone(this.#host.run(() => this.#host.host.resetMdev(this.#host.guest("guest1"))));
    expectDone(this.#device.load(this.#good));
    this.#expectMatrix(this.#atFirst);
    this.#checkOwners();
    return answer;
  }

  #writeAll(pieces: readonly Uint8Array[]): string {
    let refusal: string | undefined;
    const written: Uint8Array[] = [];
    for (const piece of pieces) {
      const before = this.#matrix;
      const answer = this.#device.write(piece);
      if (answer === "done") written.push(piece);
      else {
        if (!errnos.includes(answer)) throw new Error(`${answer} is no errno of a write`);
        this.#expectMatrix(before);
        if (piece.length > 0) refusal ??= answer;
      }
    }
    return this.#end(written, refusal);
  }

  /** What was taken whole is the configuration, and runs; all else has changed nothing, and does not run. */
  #end(written: readonly Uint8Array[], refusal: string | undefined): string {
    const answer = this.#device.setState("running");
    const bytes = Buffer.concat(written);
    if (answer === "done") {
      this.#expectMatrix(masksOf(decodeConfiguration(bytes)));
      if (`${namedIn(bytes)}` !== `${queuesOf(this.#matrix)}`) throw new Error(`the guest has others than ${namedIn(bytes)}`);
      return "done";
    }
    if (answer !== "EINVAL") throw new Error(`running: ${answer}`);
    this.#expectMatrix(this.#atFirst);
    return refusal ?? "incomplete";
  }

  get #matrix(): ApMasks {
    return this.#host.guest("guest1").mdev?.matrix ?? noMasks;
  }

  /** The guest has it all: nothing of it is filtered out here. */
  #expectMatrix(expected: ApMasks): void {
    const { vm } = this.#host.guest("guest1");
    if (!masksEqual(this.#matrix, expected)) throw new Error(`matrix: ${textOf(this.#matrix)} instead of ${textOf(expected)}`);
    if (textOf(vm.masks) !== textOf(expected)) throw new Error(`the guest has ${textOf(vm.masks)} instead of ${textOf(expected)}`);
  }

  #checkOwners(): void {
    const { linux } = this.#host.host;
    const [one, other] = ["guest1", "guest2"].map((name) => queuesOf(this.#host.guest(name).vm.masks));
    if (other!.length !== 1) throw new Error("the other guest lost its queue");
    for (const queue of [...one!, ...other!]) {
      const driver = linux.bus.queues.get(queue)?.driver?.name;
      if (driver !== "vfio_ap") throw new Error(`a guest has ${apqnName(queue)}, and so has ${driver}`);
    }
    const shared = one!.find((queue) => other!.includes(queue));
    if (shared !== undefined) throw new Error(`two guests have ${apqnName(shared)}`);
    for (const { matrix, linked } of linux.vfioAp!.matrixMdevs) {
      for (const { apqn: queue } of linked.inTableOrder()) {
        const isAssigned = matrix.adapters.has(adapterOf(queue)) && matrix.usageDomains.has(domainOf(queue));
        if (!isAssigned) throw new Error(`${apqnName(queue)} is linked and not assigned`);
      }
    }
  }
}

const errnos: readonly string[] = ["EINVAL", "EIO", "EFAULT", "ENODEV", "EADDRNOTAVAIL", "EADDRINUSE"];

/** The queues that a stream names, one by one. */
const namedIn = (bytes: Buffer): Apqn[] =>
  Array.from({ length: (bytes.length - 48) / 16 }, (_, index) => bytes.readUInt16BE(48 + 16 * index + 8));

const queuesOf = ({ adapters, usageDomains }: ApMasks): Apqn[] =>
  [...adapters].flatMap((adapter) => [...usageDomains].map((domain) => apqn(adapter, domain)));

const textOf = (masks: ApMasks): string => `${queuesOf(masks).map(apqnName)} and control domains ${[...masks.controlDomains]}`;

function expectDone(answer: string): void {
  if (answer !== "done") throw new Error(`${answer} instead of done`);
}
