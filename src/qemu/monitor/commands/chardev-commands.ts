import type { ChardevRecord } from "../../chardev/chardev.ts";
import { chardevBackendNames, createChardev } from "../../chardev/create-chardev.ts";
import { PtyChardev } from "../../chardev/pty-chardev.ts";
import { RingbufChardev } from "../../chardev/ringbuf-chardev.ts";
import type { Emulator } from "../../emulator.ts";
import { QemuError } from "../../qemu-error.ts";
import { command, type QmpCommand, type QmpContext } from "../qmp/qmp-command.ts";
import { bool, int, listOf, object, oneOf, optional, str, type UnionType } from "../schema/schema-type.ts";

const common = { logfile: optional(str), logappend: optional(bool), logtimestamp: optional(bool) };

const socketAddress: UnionType = {
  kind: "union",
  tag: "type",
  base: {},
  variants: {
    inet: object({ data: object({ host: str, port: str, ipv4: optional(bool), ipv6: optional(bool) }) }),
    unix: object({ data: object({ path: str, abstract: optional(bool), tight: optional(bool) }) }),
    fd: object({ data: object({ str }) }),
  },
};

const backend: UnionType = {
  kind: "union",
  tag: "type",
  base: {},
  variants: {
    file: object({ data: object({ ...common, in: optional(str), out: str, append: optional(bool) }) }),
    pipe: object({ data: object({ ...common, device: str }) }),
    socket: object({
      data: object({
        ...common,
        addr: socketAddress,
        server: optional(bool),
        wait: optional(bool),
        nodelay: optional(bool),
        reconnect: optional(int),
        "reconnect-ms": optional(int),
      }),
    }),
    null: object({ data: object(common) }),
    pty: object({ data: object({ ...common, path: optional(str) }) }),
    stdio: object({ data: object({ ...common, signal: optional(bool) }) }),
    ringbuf: object({ data: object({ ...common, size: optional(int) }) }),
  },
};

export const chardevCommands = {
  "query-chardev": command({
    returns: listOf(object({ label: str, filename: str, "frontend-open": bool })),
    run: async ({ state, emulator }) => {
      const own = [...state.chardevs.values()].map(({ id, filename, hasFrontend }) => ({
        label: id,
        filename,
        "frontend-open": hasFrontend,
      }));
      return [...own, ...(await stockChardevs(emulator))];
    },
  }),
  "query-chardev-backends": command({
    returns: listOf(object({ name: str })),
    run: () => chardevBackendNames().map((name) => ({ name })),
  }),
  "chardev-add": command({
    arguments: { id: str, backend },
    returns: object({ pty: optional(str) }),
    run: async (context, { id, backend: wanted }) => {
      const { type, data } = wanted as { type: string; data: Readonly<Record<string, unknown>> };
      try {
        await addChardev(context, { id, backend: type, options: optionsOf(data) });
        const added = context.state.chardevs.get(id);
        return added instanceof PtyChardev ? { pty: added.terminal } : {};
      } catch (error) {
        if (!(error instanceof QemuError) || error.message.startsWith("Chardev with id")) throw error;
        throw new QemuError(`Failed to add chardev '${id}': ${error.message}`);
      }
    },
  }),
  "chardev-remove": command({ arguments: { id: str }, run: (context, { id }) => removeChardev(context, id) }),
  "ringbuf-write": command({
    arguments: { device: str, data: str, format: optional(oneOf("utf8", "base64")) },
    run: (context, { device, data, format }) => ringbuf(context, device).write(Buffer.from(data, format)),
  }),
  "ringbuf-read": command({
    arguments: { device: str, size: int, format: optional(oneOf("utf8", "base64")) },
    returns: str,
    run: (context, { device, size, format }) => {
      if (size <= 0) throw new QemuError("size must be greater than zero");
      return ringbuf(context, device).read(size).toString(format);
    },
  }),
} satisfies Record<string, QmpCommand>;

type ChardevInfo = { label: string; filename: string; "frontend-open": boolean };

/** What the devices of a real guest talk through is open in its stock QEMU, which has others of this front's, too. */
async function stockChardevs({ options, machine }: Emulator): Promise<ChardevInfo[]> {
  const listed = ((await options.stock?.execute("query-chardev", {})) ?? []) as ChardevInfo[];
  return listed.filter(({ label }) => machine.chardevs.children.has(label));
}

/** QemuError. */
export async function addChardev({ state }: QmpContext, record: ChardevRecord): Promise<void> {
  if (state.chardevs.has(record.id)) throw new QemuError(`Chardev with id '${record.id}' already exists`);
  // Nobody who waits for a first client here would be there to let it in.
  const options =
    record.backend === "socket" && record.options.get("server") === "on" ? new Map([...record.options, ["wait", "off"]]) : record.options;
  state.chardevs.set(record.id, await createChardev({ ...record, options }));
}

/** QemuError. */
export async function removeChardev({ state }: QmpContext, id: string): Promise<void> {
  const chardev = state.chardevs.get(id);
  if (!chardev) throw new QemuError(`Chardev '${id}' not found`);
  if (chardev.hasFrontend) throw new QemuError(`Chardev '${id}' is busy`);
  state.chardevs.delete(id);
  await chardev.close();
}

function ringbuf({ state }: QmpContext, id: string): RingbufChardev {
  const chardev = state.chardevs.get(id);
  if (!chardev) throw new QemuError(`Device '${id}' not found`);
  if (!(chardev instanceof RingbufChardev)) throw new QemuError(`${id} is not a ringbuf device`);
  return chardev;
}

/** The command line's spelling of what QMP says. */
function optionsOf({ addr, out, in: input, device, server, ...others }: Readonly<Record<string, unknown>>): Map<string, string> {
  const address = addr as { type: string; data: Readonly<Record<string, unknown>> } | undefined;
  const { str: fd, ...place } = address?.data ?? {};
  const isServer = address !== undefined && server !== false;
  const named = { ...others, ...place, fd, path: out ?? device ?? place.path, "input-path": input, ...(isServer && { server: true }) };
  return new Map(
    Object.entries(named)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, typeof value === "boolean" ? (value ? "on" : "off") : String(value)]),
  );
}
