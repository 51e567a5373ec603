import { structuredOption } from "../../command-line/structured-option.ts";
import { getProperty, listObject, setProperty } from "../../objects/object-queries.ts";
import { QemuError } from "../../qemu-error.ts";
import { addObject, deleteObject, objectCommands } from "../commands/object-commands.ts";
import { JsonRequests } from "../json/json-requests.ts";
import { prettyJsonText } from "../json/json-text.ts";
import type { JsonObject } from "../json/json-value.ts";
import { checkArguments, plainValue } from "../schema/check-value.ts";
import type { HumanCommand } from "./human-command.ts";

/** Commands over the tree of objects. */
export const objectHumanCommands: readonly HumanCommand[] = [
  {
    name: "qom-list",
    parameters: "path",
    help: "lists an object's properties",
    arguments: [{ name: "path", kind: "word", isOptional: true }],
    run: ({ emulator }, { path }) => {
      if (path === undefined) return "/\n";
      return listObject(emulator.objects, path)
        .map(({ name, type }) => `${name} (${type})\n`)
        .join("");
    },
  },
  {
    name: "qom-get",
    parameters: "path property",
    help: "prints an object's property",
    arguments: [
      { name: "path", kind: "word" },
      { name: "property", kind: "word" },
    ],
    run: ({ emulator }, { path = "", property = "" }) => `${prettyJsonText(getProperty(emulator.objects, path, property))}\n`,
  },
  {
    name: "qom-set",
    parameters: "[-j] path property value",
    help: "sets an object's property; with -j the value is JSON",
    arguments: [
      { name: "j", kind: "switch" },
      { name: "path", kind: "word" },
      { name: "property", kind: "word" },
      { name: "value", kind: "rest" },
    ],
    run: ({ emulator }, { j, path = "", property = "", value = "" }) => {
      const old = j === undefined ? getProperty(emulator.objects, path, property) : undefined;
      setProperty(emulator.objects, path, property, j === undefined ? like(old, value, property) : json(value));
    },
  },
  {
    name: "object_add",
    parameters: "[qom-type=]type,id=str[,prop=value][,...]",
    help: "makes an object",
    arguments: [{ name: "object", kind: "rest" }],
    run: (context, { object = "" }) => {
      const { values } = structuredOption(object, "qom-type");
      const [type, id] = ["qom-type", "id"].map((name) => values.get(name));
      if (id === undefined) throw new QemuError("Parameter 'id' is missing");
      // The command line's values are all texts, so only what must be there is looked at.
      checkArguments(objectCommands["object-add"].arguments, { "qom-type": type, id, ...needed[String(type)] } as JsonObject);
      addObject(context, Object.fromEntries(values));
    },
  },
  {
    name: "object_del",
    parameters: "id",
    help: "takes an object away",
    arguments: [{ name: "id", kind: "word" }],
    run: (context, { id = "" }) => deleteObject(context, id),
  },
];

const needed: Readonly<Record<string, JsonObject>> = {
  "memory-backend-file": { size: 0, "mem-path": "" },
  "memory-backend-memfd": { size: 0 },
  "memory-backend-ram": { size: 0 },
};

/** A text as the kind of value that a property has. */
function like(old: unknown, text: string, property: string): unknown {
  if (typeof old === "boolean") {
    if (["on", "yes", "true", "y"].includes(text)) return true;
    if (["off", "no", "false", "n"].includes(text)) return false;
    throw new QemuError(`Parameter '${property}' expects 'on' or 'off'`);
  }
  if (typeof old !== "number") return text;
  if (!/^-?(\d+|0x[0-9a-f]+)$/i.test(text)) throw new QemuError(`Parameter '${property}' expects a number`);
  return Number(text);
}

function json(text: string): unknown {
  let value: unknown;
  const requests = new JsonRequests((request) => {
    if ("problem" in request) throw new QemuError(request.problem);
    value = plainValue(request.value);
  });
  requests.feed(Buffer.from(`${text}\n`));
  return value;
}
