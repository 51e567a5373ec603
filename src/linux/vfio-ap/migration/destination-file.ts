import { fail } from "../../../sysfs/errno.ts";
import type { Job } from "../../time/work-queue.ts";
import { configure } from "../assign.ts";
import type { MatrixMdev } from "../matrix-mdev.ts";
import { holdBoth } from "../mdev-attributes.ts";
import type { VfioAp } from "../vfio-ap.ts";
import { announcedBytes, checkKind, decodeConfiguration, masksOf, prefixBytes } from "./configuration-data.ts";
import { verifySource } from "./verify-source.ts";

/**
 * The file that a device's data is written to where it comes to: a stream, in pieces of any size. The write that completes the length that
 * the data announces takes the configuration over, or fails and leaves the mediated device as it was. Source: vfio_ap_migration.c of the
 * migration series of 2026, vfio_ap_resuming_write.
 */
export class DestinationFile {
  readonly #prefix = new Uint8Array(prefixBytes);
  #position = 0;
  /** As long as the prefix announces; absent also after a refusal in the write that completed the prefix. */
  #data: Uint8Array | undefined;
  #isWriting = false;
  #isTakenOver = false;

  constructor(
    private readonly driver: VfioAp,
    private readonly mdev: MatrixMdev,
  ) {}

  /** The data was whole, and is the mediated device's configuration now. */
  get isTakenOver(): boolean {
    return this.#isTakenOver;
  }

  /**
   * EINVAL: nothing to write; ENODEV: the device was closed; ENXIO: the file is of an older session; EBUSY: another write is under way;
   * EFAULT: the data was refused; EINVAL: no data of this kind; EIO: more than announced; then those of `verifySource` and of `configure`.
   */
  *write(bytes: Uint8Array): Job<void> {
    const file = this;
    yield* this.driver.lock.hold(function* () {
      file.#check(bytes.length);
      file.#isWriting = true;
    });
    try {
      yield* this.#take(bytes);
    } finally {
      this.#isWriting = false;
    }
  }

  #check(length: number): void {
    if (length === 0) fail("EINVAL");
    this.#checkSession();
    if (this.#isWriting) fail("EBUSY");
    if (this.#position < prefixBytes) return;
    const data = this.#data ?? fail("EFAULT");
    checkKind(data);
    if (this.#position + length > data.length) fail("EIO");
  }

  #checkSession(): void {
    const migration = this.mdev.migration ?? fail("ENODEV");
    if (!migration.isCurrent(this)) fail("ENXIO");
  }

  *#take(bytes: Uint8Array): Job<void> {
    const start = this.#position;
    this.#position += bytes.length;
    if (start < prefixBytes) this.#prefix.set(bytes.subarray(0, prefixBytes - start), start);
    if (this.#position < prefixBytes) return;
    const data = this.#data ?? this.#announced();
    // The draft forgets this where the prefix comes with what follows it, and writes behind its memory.
    if (this.#position > data.length) fail("EIO");
    data.set(bytes, start);
    if (this.#position === data.length) yield* this.#takeOver(data);
    this.#data = data;
  }

  #announced(): Uint8Array {
    const data = new Uint8Array(announcedBytes(this.#prefix));
    data.set(this.#prefix);
    return data;
  }

  /** Checks under the locks that the draft takes afterwards: what was bound when it was looked at still is. */
  *#takeOver(data: Uint8Array): Job<void> {
    const file = this;
    const { driver, mdev } = this;
    yield* holdBoth(driver, function* () {
      file.#checkSession();
      const source = decodeConfiguration(data);
      verifySource(driver, mdev, source);
      yield* configure(driver, mdev, masksOf(source));
      file.#isTakenOver = true;
    });
  }
}
