import { QemuError } from "../../qemu-error.ts";
import { listOf, oneOf, optional } from "../schema/schema-type.ts";
import { command, type QmpCommand } from "./qmp-command.ts";

const enable = { enable: optional(listOf(oneOf("oob"))) };

/** What a client may say before it has said qmp_capabilities. */
export const negotiation = {
  commands: (accept: (enabled: readonly string[]) => void): Readonly<Record<string, QmpCommand>> => ({
    qmp_capabilities: command({ arguments: enable, run: (_context, { enable: enabled = [] }) => accept(enabled) }),
  }),

  /** A command that is not known yet is one that comes too early. */
  explained(answer: Record<string, unknown>): Record<string, unknown> {
    const error = answer.error as { class: string } | undefined;
    if (error?.class !== "CommandNotFound") return answer;
    return { ...answer, error: { ...error, desc: "Expecting capabilities negotiation with 'qmp_capabilities'" } };
  },
};

/** The same once it has been said. */
export const repeatedNegotiation = command({
  arguments: enable,
  run: () => {
    throw new QemuError("Capabilities negotiation is already complete, command ignored", "CommandNotFound");
  },
});
