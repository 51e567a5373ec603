import { loadTlsCredentials, tlsCredentialsType } from "../../migration/tls-credentials.ts";
import { getProperty, listObject, setProperty } from "../../objects/object-queries.ts";
import { QomObject } from "../../objects/qom-object.ts";
import { listDeviceProperties, listTypeProperties, listTypes } from "../../objects/type-queries.ts";
import { QemuError } from "../../qemu-error.ts";
import type { QmpContext } from "../qmp/qmp-command.ts";
import { command, type QmpCommand } from "../qmp/qmp-command.ts";
import { any, bool, int, listOf, type Members, object, oneOf, optional, str, type UnionType, uint64 } from "../schema/schema-type.ts";

const property = object({ name: str, type: str, description: optional(str), "default-value": optional(any) });
const value = object({ name: str, type: str, value: optional(any) });

const memoryBackend: Members = {
  dump: optional(bool),
  "host-nodes": optional(listOf(int)),
  merge: optional(bool),
  policy: optional(str),
  prealloc: optional(bool),
  "prealloc-threads": optional(int),
  reserve: optional(bool),
  share: optional(bool),
  size: uint64,
};

/** What object-add makes. Source: QEMU 10.2.2 qapi/qom.json. */
const userObject: UnionType = {
  kind: "union",
  tag: "qom-type",
  base: { id: str },
  variants: {
    iommufd: object({ fd: optional(str) }),
    iothread: object({
      "aio-max-batch": optional(int),
      "poll-max-ns": optional(int),
      "poll-grow": optional(int),
      "poll-shrink": optional(int),
      "thread-pool-min": optional(int),
      "thread-pool-max": optional(int),
    }),
    "memory-backend-file": object({
      ...memoryBackend,
      "mem-path": str,
      align: optional(uint64),
      "discard-data": optional(bool),
      readonly: optional(bool),
    }),
    "memory-backend-memfd": object({ ...memoryBackend, hugetlb: optional(bool), hugetlbsize: optional(uint64), seal: optional(bool) }),
    "memory-backend-ram": object(memoryBackend),
    "rng-builtin": object({}),
    "rng-random": object({ filename: optional(str) }),
    secret: object({
      loaded: optional(bool),
      format: optional(str),
      keyid: optional(str),
      iv: optional(str),
      data: optional(str),
      file: optional(str),
    }),
    "tls-creds-x509": object({
      dir: optional(str),
      endpoint: optional(oneOf("client", "server")),
      "verify-peer": optional(bool),
      priority: optional(str),
      "sanity-check": optional(bool),
      passwordid: optional(str),
    }),
  },
};

/** Types, objects and devices. */
export const objectCommands = {
  "qom-list": command({
    arguments: { path: str },
    returns: listOf(property),
    run: ({ emulator }, { path }) => listObject(emulator.objects, path),
  }),
  "qom-list-get": command({
    arguments: { paths: listOf(str) },
    returns: listOf(object({ properties: listOf(value) })),
    run: ({ emulator }, { paths }) => paths.map((path) => ({ properties: valuesAt(emulator.objects, path) })),
  }),
  "qom-get": command({
    arguments: { path: str, property: str },
    returns: any,
    run: ({ emulator }, { path, property: name }) => getProperty(emulator.objects, path, name),
  }),
  "qom-set": command({
    arguments: { path: str, property: str, value: any },
    run: ({ emulator }, { path, property: name, value: wanted }) => setProperty(emulator.objects, path, name, wanted),
  }),
  "qom-list-types": command({
    arguments: { implements: optional(str), abstract: optional(bool) },
    returns: listOf(object({ name: str, abstract: optional(bool), parent: optional(str) })),
    run: (_context, { implements: ancestor, abstract = false }) =>
      listTypes({ abstract, ...(ancestor !== undefined && { implements: ancestor }) }),
  }),
  "qom-list-properties": command({
    arguments: { typename: str },
    returns: listOf(property),
    run: (_context, { typename }) => listTypeProperties(typename),
  }),
  "device-list-properties": command({
    arguments: { typename: str },
    returns: listOf(property),
    run: (_context, { typename }) => listDeviceProperties(typename),
  }),
  device_add: command({
    arguments: { driver: str, bus: optional(str), id: optional(str) },
    isUnchecked: true,
    features: ["json-cli", "json-cli-hotplug"],
    run: ({ emulator }, options) => emulator.addDevice(new Map(Object.entries(options))),
  }),
  device_del: command({ arguments: { id: str }, run: ({ emulator }, { id }) => emulator.deleteDevice(id) }),
  "object-add": command({ arguments: userObject, run: (context, values) => addObject(context, values) }),
  "object-del": command({ arguments: { id: str }, run: (context, { id }) => deleteObject(context, id) }),
} satisfies Record<string, QmpCommand>;

function valuesAt(root: QomObject, path: string): object[] {
  return listObject(root, path).map(({ name, type }) => ({ name, type, value: getProperty(root, path, name) }));
}

/** QemuError. */
export function addObject({ emulator }: QmpContext, { "qom-type": type, id, ...values }: Readonly<Record<string, unknown>>): void {
  const name = String(id);
  if (!/^[A-Za-z][-A-Za-z0-9._]*$/.test(name)) {
    const hint = "Identifiers consist of letters, digits, '-', '.', '_', starting with a letter.";
    throw new QemuError("Parameter 'id' expects an identifier", "GenericError", hint);
  }
  const { userObjects } = emulator.machine;
  if (userObjects.children.has(name)) {
    throw new QemuError(`attempt to add duplicate property '${name}' to object (type 'container')`);
  }
  if (type === tlsCredentialsType) loadTlsCredentials(new Map(Object.entries(values)));
  userObjects.add(name, new QomObject(String(type), values));
}

/** QemuError. */
export function deleteObject({ emulator }: QmpContext, id: string): void {
  const object = emulator.machine.userObjects.children.get(id);
  if (!object) throw new QemuError(`object '${id}' not found`);
  if (object.type.startsWith("memory-backend-") && id === "s390.ram") throw new QemuError(`object '${id}' is in use, can not be deleted`);
  if (object.type === "iommufd" && emulator.vfioAp?.options.get("iommufd") === id) {
    throw new QemuError(`object '${id}' is in use, can not be deleted`);
  }
  object.remove();
}
