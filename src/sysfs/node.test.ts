import { expect, test } from "vitest";
import { attributeTable, constant, readOnly, readWrite, writeOnly } from "./attribute.ts";
import { Directory, type TreeObserver } from "./node.ts";

const table = attributeTable<string>(
  constant("type", (owner) => `${owner}\n`),
  readOnly("count", () => "1\n"),
  readWrite(
    "online",
    () => "1\n",
    () => {},
  ),
  writeOnly("remove", () => {}),
);

function watched() {
  const root = new Directory("");
  const heard: string[] = [];
  const observer: TreeObserver = {
    changed: (node) => heard.push(`changed ${node.parent.path}/${node.name}`),
    added: (directory, name) => heard.push(`added ${directory.path} ${name}`),
    removed: (directory, name, node) => heard.push(`removed ${directory.path} ${name} ${node?.kind}`),
  };
  root.observer = observer;
  return { root, heard };
}

/** a/b/card and bus/devices, with a link from one to the other. */
function example() {
  const root = new Directory("");
  const card = root.addDirectory(new Directory("devices")).addDirectory(new Directory("ap")).addDirectory(new Directory("card05"));
  const links = root.addDirectory(new Directory("bus")).addDirectory(new Directory("ap")).addDirectory(new Directory("devices"));
  return { root, card, links };
}

test("a link's text is the way from its directory to its target", () => {
  const { root, card, links } = example();
  links.addLink("card05", card);
  card.addLink("subsystem", links.parent!);
  card.addLink("up", card.parent!);
  root.addLink("top", card);
  const text = (directory: Directory, name: string) => {
    const node = directory.lookup(name);
    return node?.kind === "link" ? node.text : undefined;
  };
  expect(text(links, "card05")).toBe("../../../devices/ap/card05");
  expect(text(card, "subsystem")).toBe("../../../bus/ap");
  expect(text(card, "up")).toBe("../../ap");
  expect(text(root, "top")).toBe("devices/ap/card05");
});

test("a directory knows its path from its tree's root", () => {
  const { root, card } = example();
  expect([root.path, card.path]).toEqual(["/", "/devices/ap/card05"]);
});

test("an attribute is one node for as long as it is there", () => {
  const directory = new Directory("card05");
  directory.attach(table, "CEX7C");
  const node = directory.lookup("type");
  expect(node?.kind).toBe("attribute");
  expect(directory.lookup("type")).toBe(node);
  directory.detach(table);
  expect(directory.lookup("type")).toBeUndefined();
  directory.attach(table, "CEX8C");
  expect(directory.lookup("type")).not.toBe(node);
});

test.each([
  ["type", true],
  ["count", false],
  ["online", false],
  ["remove", false],
])("%s may be cached: %s", (name, isCacheable) => {
  const directory = new Directory("card05");
  directory.attach(table, "CEX7C");
  const node = directory.lookup(name);
  expect(node?.kind === "attribute" && node.isCacheable).toBe(isCacheable);
});

test("an entry is described without being made a node", () => {
  const { card, links } = example();
  links.addLink("card05", card);
  card.attach(table, "CEX7C");
  expect(card.describe("remove")).toEqual({ kind: "attribute", mode: 0o200 });
  expect(card.describe("nosuch")).toBeUndefined();
  expect(links.describe("card05")).toEqual({ kind: "link", mode: 0o777 });
  expect(card.parent!.describe("card05")).toEqual({ kind: "directory", mode: 0o755 });
  expect([...card.names()].sort()).toEqual(["count", "online", "remove", "type"]);
});

test("the observer hears of what comes and goes, in order, and only of texts that were looked at", () => {
  const { root, heard } = watched();
  const card = root.addDirectory(new Directory("card05"));
  card.attach(table, "CEX7C");
  expect(heard.splice(0)).toEqual(["added / card05", ...[...table.keys()].map((name) => `added /card05 ${name}`)]);
  card.changed("count");
  expect(heard).toEqual([]);
  card.lookup("count");
  card.changed("count");
  card.changed("nosuch");
  expect(heard.splice(0)).toEqual(["changed /card05/count"]);
  card.detach(table);
  expect(heard.splice(0)).toEqual([
    "removed /card05 type undefined",
    "removed /card05 count attribute",
    "removed /card05 online undefined",
    "removed /card05 remove undefined",
  ]);
  root.remove("card05");
  root.remove("card05");
  expect(heard).toEqual(["removed / card05 directory"]);
});

test("a file that hides is gone until it is shown again", () => {
  const { root, heard } = watched();
  const mdev = root.addDirectory(new Directory("mdev"));
  mdev.attach(table, "x");
  mdev.lookup("remove");
  heard.splice(0);
  mdev.hide("remove");
  mdev.hide("remove");
  expect(mdev.lookup("remove")).toBeUndefined();
  expect(mdev.lookup("count")).toBeDefined();
  expect(heard.splice(0)).toEqual(["removed /mdev remove attribute"]);
  mdev.unhide(table, "remove", "x");
  mdev.unhide(table, "remove", "x");
  expect(mdev.lookup("remove")?.kind).toBe("attribute");
  expect(heard).toEqual(["added /mdev remove"]);
});
