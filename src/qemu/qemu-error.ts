/** Classes of errors that QMP knows. Source: QEMU qapi/error.json. */
export type QemuErrorClass = "GenericError" | "CommandNotFound" | "DeviceNotActive" | "DeviceNotFound" | "KVMMissingCap";

/** What a stock QEMU said when it did not start, every line as it stood on its stderr. */
export class StockStartError extends Error {}

/** A refusal in QEMU's words. `hint` is printed on a line of its own, by the command line and the human monitor alone. */
export class QemuError extends Error {
  constructor(
    message: string,
    readonly errorClass: QemuErrorClass = "GenericError",
    readonly hint?: string,
  ) {
    super(message);
  }
}
