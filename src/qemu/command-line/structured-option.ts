import { type JsonRequest, JsonRequests } from "../monitor/json/json-requests.ts";
import { isJsonObject } from "../monitor/json/json-value.ts";
import { QemuError } from "../qemu-error.ts";
import { keyValues } from "./key-values.ts";

/** An argument that may be written as JSON or in QEMU's own syntax. */
export interface StructuredOption {
  readonly values: ReadonlyMap<string, unknown>;
  readonly isJson: boolean;
  readonly asksForHelp: boolean;
  readonly flags: ReturnType<typeof keyValues>["flags"];
}

/** QemuError. */
export function structuredOption(text: string, impliedKey: string): StructuredOption {
  if (!text.startsWith("{")) return { ...keyValues(text, impliedKey), isJson: false };
  return { values: jsonMembers(text), isJson: true, asksForHelp: false, flags: [] };
}

function jsonMembers(text: string): Map<string, unknown> {
  const requests: JsonRequest[] = [];
  // The line end completes a last word.
  new JsonRequests((request) => requests.push(request)).feed(Buffer.from(`${text}\n`));
  const first = requests[0] ?? { problem: "JSON parse error, premature EOI" };
  if ("problem" in first) throw new QemuError(first.problem);
  return new Map(isJsonObject(first.value) ? Object.entries(first.value) : []);
}
