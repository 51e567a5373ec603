import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Directory } from "../sysfs/node.ts";
import { NodeTable } from "./node-table.ts";

describe("NodeTable", () => {
  test("keeps a node until every lookup of it is forgotten, and never uses its number again", () => {
    const root = new Directory("");
    const table = new NodeTable([root]);
    const node = root.addDirectory(new Directory("a"));
    expect([table.remember(node).node.handle, table.remember(node).node.handle]).toEqual([2, 2]);
    table.forget(2, 1);
    expect(table.find(2)?.node).toBe(node);
    node.isCached = true;
    table.forget(2, 1);
    expect([table.find(2), node.handle, node.isCached]).toEqual([undefined, 0, false]);
    expect(table.remember(node).node.handle).toBe(3);
  });

  test("never forgets the root, nor more than it knows", () => {
    const root = new Directory("");
    const table = new NodeTable([root]);
    table.forget(1, 1000);
    table.forget(77, 1);
    expect(table.find(1)?.node).toBe(root);
  });

  test("knows exactly the nodes with lookups left, after any history", () => {
    const names = ["a", "b", "c", "d"];
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom(...names), fc.boolean())), (steps) => {
        const table = new NodeTable([new Directory("")]);
        const nodes = new Map(names.map((name) => [name, new Directory(name)]));
        const counts = new Map<string, number>();
        for (const [name, isLookup] of steps) {
          const node = nodes.get(name)!;
          const count = counts.get(name) ?? 0;
          if (isLookup) table.remember(node);
          else table.forget(node.handle, count > 0 ? 1 : 0);
          counts.set(name, isLookup ? count + 1 : Math.max(0, count - 1));
        }
        for (const [name, node] of nodes)
          expect(node.handle !== 0 && table.find(node.handle)?.node === node).toBe((counts.get(name) ?? 0) > 0);
      }),
    );
  });
});
