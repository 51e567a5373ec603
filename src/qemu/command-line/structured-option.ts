import { JsonLexer, type JsonToken } from "../monitor/json/json-lexer.ts";
import { parseJson } from "../monitor/json/json-parser.ts";
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

/** As QEMU takes it that the text ends where it does: what is unfinished is told by what is missing or wrong. */
function jsonMembers(text: string): Map<string, unknown> {
  const tokens: JsonToken[] = [];
  const requests: JsonRequest[] = [];
  // The line end completes a last word.
  const bytes = Buffer.from(`${text}\n`);
  new JsonRequests((request) => requests.push(request)).feed(bytes);
  new JsonLexer(({ kind, bytes: token }) => tokens.push({ kind, bytes: token.slice() }) > 0).feed(bytes);
  const first = requests[0] ?? parsed(tokens);
  if ("problem" in first) throw new QemuError(first.problem);
  return new Map(isJsonObject(first.value) ? Object.entries(first.value) : []);
}

function parsed(tokens: readonly JsonToken[]): JsonRequest {
  try {
    return { value: parseJson(tokens) };
  } catch (error) {
    return { problem: (error as Error).message };
  }
}
