import type { StockMonitor } from "../../guest-port.ts";
import { QemuError, type QemuErrorClass } from "../../qemu-error.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../json/json-value.ts";
import { membersInOrder } from "../json/member-order.ts";
import { checkArguments } from "../schema/check-value.ts";
import type { QmpCommand, QmpContext } from "./qmp-command.ts";
import { isForStock } from "./stock-commands.ts";

export interface DispatchRules {
  readonly commands: Readonly<Record<string, QmpCommand>>;
  readonly isOobEnabled: boolean;
  /** Answers what this front does not. */
  readonly stock?: StockMonitor | undefined;
}

/** The answer to a request, whatever it is. Source of order and texts: QEMU 10.2.2 qapi/qmp-dispatch.c. */
export async function dispatch(request: JsonValue, rules: DispatchRules, context: QmpContext): Promise<Record<string, unknown>> {
  const id = isJsonObject(request) && request.id !== undefined ? { id: request.id } : {};
  try {
    const { name, values, isOob } = commandOf(request, rules.isOobEnabled);
    const command = Object.hasOwn(rules.commands, name) ? rules.commands[name] : undefined;
    const { stock } = rules;
    if (stock && isForStock(name, command !== undefined)) return { return: await stock.execute(name, values), ...id };
    if (!command) throw new QemuError(`The command ${name} has not been found`, "CommandNotFound");
    if (isOob && !command.allowsOob) throw new QemuError(`The command ${name} does not support OOB`);
    const checked = checkArguments(command.arguments, values);
    const result = await command.run(context, checked as never);
    return { return: result ?? {}, ...id };
  } catch (error) {
    return { error: errorAnswer(error, context), ...id };
  }
}

/** Runs beside what runs. */
export function isOutOfBand(request: JsonValue): boolean {
  return isJsonObject(request) && request["exec-oob"] !== undefined && request.execute === undefined;
}

function commandOf(request: JsonValue, isOobEnabled: boolean): { name: string; values: JsonObject; isOob: boolean } {
  if (!isJsonObject(request)) throw new QemuError("QMP input must be a JSON object");
  let found: string | undefined;
  for (const [member] of membersInOrder(Object.entries(request))) {
    const value = request[member];
    if (member === "execute" || (member === "exec-oob" && isOobEnabled)) {
      if (typeof value !== "string") throw new QemuError(`QMP input member '${member}' must be a string`);
      if (found !== undefined) throw new QemuError(`QMP input member '${member}' clashes with '${found}'`);
      found = member;
    } else if (member === "arguments") {
      if (!isJsonObject(value!)) throw new QemuError("QMP input member 'arguments' must be an object");
    } else if (member !== "id") {
      throw new QemuError(`QMP input member '${member}' is unexpected`);
    }
  }
  if (found === undefined) throw new QemuError("QMP input lacks member 'execute'");
  return { name: request[found] as string, values: (request.arguments ?? {}) as JsonObject, isOob: found === "exec-oob" };
}

function errorAnswer(error: unknown, { emulator }: QmpContext): { class: QemuErrorClass; desc: string } {
  if (error instanceof QemuError) return { class: error.errorClass, desc: error.message };
  emulator.options.report?.(`error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  return { class: "GenericError", desc: "An internal error of Adjunct has occurred" };
}
