import type { MachineDevices } from "./devices/machine-devices.ts";
import type { StockMonitor } from "./guest-port.ts";

type Emit = (event: string, data: Readonly<Record<string, unknown>> | undefined) => void;

/** Of a stock QEMU's run state, which a breakpoint changes and a monitor here does not hear of. */
const ownEvents: ReadonlySet<string> = new Set(["STOP", "RESUME", "SHUTDOWN", "RESET", "POWERDOWN"]);

/** What is the front's own to tell comes as a call of the port's listener; of the rest the guest's devices may be concerned. */
export function relayStockEvents(stock: StockMonitor, devices: MachineDevices, emit: Emit): void {
  stock.onEvent(({ event, data }) => {
    if (ownEvents.has(event)) return;
    if (event === "DEVICE_DELETED" && typeof data?.device === "string") devices.forget(data.device);
    emit(event, data);
  });
}
