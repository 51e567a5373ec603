import { decodeStatus, ResponseCode } from "../../ap/status.ts";
import { type AttributeTable, attributeTable, constant, readOnly, readWrite } from "../../sysfs/attribute.ts";
import { fail } from "../../sysfs/errno.ts";
import type { Generation } from "../generation.ts";
import type { ApQueue } from "./ap-queue.ts";
import { functionsText } from "./card-attributes.ts";

/** The files of a queue that are there whatever its driver is. Source: Linux drivers/s390/crypto/ap_queue.c. */
const tables = new Map<Generation, Record<Depth, AttributeTable<ApQueue>>>();

/** Whether the count of messages in the queue always has one digit. */
type Depth = "shallow" | "deep";
const mostOfOneDigit = 9;
/** PAGE_SIZE - 1: longer texts are refused by driver_override. */
const overrideBytes = 4095;

export function queueAttributes(generation: Generation, depth: number): AttributeTable<ApQueue> {
  const known = tables.get(generation) ?? { shallow: makeTable(generation, "shallow"), deep: makeTable(generation, "deep") };
  tables.set(generation, known);
  return known[depth <= mostOfOneDigit ? "shallow" : "deep"];
}

function makeTable(generation: Generation, depth: Depth): AttributeTable<ApQueue> {
  const pendingText = ({ machine }: ApQueue): string => `${machine.pendingCount}\n`;
  return attributeTable<ApQueue>(
    readWrite(
      "request_count",
      ({ machine }) => (machine.deviceState === "UNINITIATED" ? "-\n" : `${machine.requestCount}\n`),
      (queue) => {
        queue.machine.requestCount = 0;
        queue.changed("request_count");
        queue.card.changed("request_count");
      },
    ),
    readOnly("requestq_count", ({ machine }) => `${machine.waitingCount}\n`),
    depth === "shallow" ? constant("pendingq_count", pendingText) : readOnly("pendingq_count", pendingText),
    readWrite("reset", resetText, (queue) => queue.machine.reset()),
    readOnly("interrupt", (queue) => interruptText(queue, generation.remembersInterrupt)),
    generation.knowsConfiguration && constant("config", (queue) => `${Number(queue.isConfigured)}\n`),
    generation.knowsConfiguration && constant("chkstop", (queue) => `${Number(queue.isCheckstopped)}\n`),
    generation.hasQueueFunctions &&
      readOnly("ap_functions", (queue) => {
        const { responseCode, high } = queue.instructions.tapq(queue.apqn);
        return responseCode > ResponseCode.busy ? fail("EIO") : functionsText(high);
      }),
    generation.hasDriverOverride && readWrite("driver_override", (queue) => `${queue.driverOverride ?? ""}\n`, storeDriverOverride),
  );
}

function resetText({ machine }: ApQueue): string {
  if (machine.machineState === "RESET_START" || machine.machineState === "RESET_WAIT") return "Reset in progress.\n";
  if (machine.machineState === "WORKING" || machine.machineState === "FULL") return "Reset Timer armed.\n";
  return "No Reset Timer set.\n";
}

function interruptText({ machine, instructions, apqn }: ApQueue, remembers: boolean): string {
  if (machine.machineState === "SETIRQ_WAIT") return "Enable Interrupt pending.\n";
  const isEnabled = remembers ? machine.isInterruptOn : decodeStatus(instructions.tapq(apqn).status).irqEnabled;
  return isEnabled ? "Interrupts enabled.\n" : "Interrupts disabled.\n";
}

/** Excludes and is excluded by masks that reserve anything for vfio_ap. Nothing is bound anew. */
function storeDriverOverride(queue: ApQueue, text: string): void {
  const { apBus } = queue;
  if (apBus.masks.areInUse) fail("EINVAL");
  if (text.length >= overrideBytes) fail("EINVAL");
  const name = text.split("\n", 1)[0] ?? "";
  const had = queue.driverOverride !== undefined;
  queue.driverOverride = name === "" ? undefined : name;
  apBus.masks.overrides += Number(queue.driverOverride !== undefined) - Number(had);
  queue.changed("driver_override");
}
