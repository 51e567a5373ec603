import { inHeader } from "./abi.ts";

/** A request as the kernel sends it, for tests. `fields` of the body are [width, value], a string is a name with its NUL. */
export function requestBytes(
  opcode: number,
  nodeId: number,
  fields: readonly (readonly [width: 4 | 8, value: number] | string)[] = [],
  unique = 2,
): Buffer {
  const parts = fields.map((field) => {
    if (typeof field === "string") return Buffer.from(`${field}\0`, "latin1");
    const part = Buffer.alloc(field[0]);
    part.writeUInt32LE(field[1]);
    return part;
  });
  const header = Buffer.alloc(inHeader.bytes);
  const body = Buffer.concat(parts);
  header.writeUInt32LE(inHeader.bytes + body.length, inHeader.at.len);
  header.writeUInt32LE(opcode, inHeader.at.opcode);
  header.writeUInt32LE(unique, inHeader.at.unique);
  header.writeUInt32LE(nodeId, inHeader.at.nodeid);
  header.writeUInt32LE(1234, inHeader.at.pid);
  return Buffer.concat([header, body]);
}
