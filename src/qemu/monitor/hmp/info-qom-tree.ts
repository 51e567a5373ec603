import { findObject } from "../../objects/object-queries.ts";
import type { QomObject } from "../../objects/qom-object.ts";

/** Objects below a path by their names, as `info qom-tree` draws them. */
export function infoQomTree(root: QomObject, path: string): string {
  let object: QomObject;
  try {
    object = findObject(root, path);
  } catch {
    return `Path '${path}' could not be resolved.\n`;
  }
  return objectText(object.path.split("/").at(-1) ?? "", object, 0);
}

function objectText(name: string, object: QomObject, indent: number): string {
  const children = [...object.children].sort(([left], [right]) => (left < right ? -1 : 1));
  return `${" ".repeat(indent)}/${name} (${object.type})\n${children.map(([below, child]) => objectText(below, child, indent + 2)).join("")}`;
}
