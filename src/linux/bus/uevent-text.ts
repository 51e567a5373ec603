import { modeOf } from "../../ap/queue-info.ts";

/** How an AP device's uevents and files name its type and mode. Source: Linux drivers/s390/crypto/ap_bus.c, ap_uevent. */
export const modalias = (type: number): string => `ap:t${type.toString(16).toUpperCase().padStart(2, "0")}`;

/** The mode as uevents spell it. */
export function ueventMode(functions: number): string | undefined {
  const mode = modeOf(functions);
  return mode === "accelerator" ? "accel" : mode;
}
