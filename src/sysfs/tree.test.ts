import { describe, expect, test } from "vitest";
import { outcome } from "../../test/support/test-host.ts";
import { attributeTable, readOnly, readWrite, writeOnly } from "./attribute.ts";
import { fail } from "./errno.ts";
import { Directory } from "./node.ts";
import { list, openAttribute, pageBytes, readAttribute, resolve, writeAttribute } from "./tree.ts";

function tree() {
  const root = new Directory("");
  const written: [string, number][] = [];
  const a = root.addDirectory(new Directory("a"));
  const b = a.addDirectory(new Directory("b"));
  const c = root.addDirectory(new Directory("c"));
  c.addLink("to-b", b);
  b.addLink("to-c", c);
  b.attach(
    attributeTable<undefined>(
      readOnly("text", () => "hello\n"),
      writeOnly("store", (_owner, text, size) => {
        written.push([text, size]);
      }),
      readWrite(
        "broken",
        () => fail("EIO"),
        () => fail("EBUSY"),
      ),
      { name: "none", mode: 0o644, length: "varying" },
    ),
    undefined,
  );
  return { root, a, b, c, written };
}

const read = (root: Directory, path: string): string => outcome(() => readAttribute(openAttribute(root, path, "read")) as string);
const write = (root: Directory, path: string, data: string): string =>
  outcome(() => {
    void writeAttribute(openAttribute(root, path, "write"), data);
    return "done";
  });

describe("paths", () => {
  test.each([
    ["/a/b/text", "hello\n"],
    ["/c/to-b/text", "hello\n"],
    ["/a/b/to-c/to-b/../b/text", "hello\n"],
    ["//a/./b//text", "hello\n"],
    ["/../../a/b/text", "hello\n"],
    ["/a/b/nosuch", "ENOENT"],
    ["/nosuch/b/text", "ENOENT"],
    ["/a/b/text/more", "ENOTDIR"],
    ["/a/b", "EISDIR"],
    ["/c/to-b", "EISDIR"],
    ["/a/b/store", "EACCES"],
    ["/a/b/broken", "EIO"],
    ["/a/b/none", "EIO"],
  ])("reading %s gives %j", (path, answer) => {
    expect(read(tree().root, path)).toBe(answer);
  });

  test("a link whose target was taken out of the tree leads nowhere", () => {
    const { root, a } = tree();
    a.remove("b");
    expect(read(root, "/c/to-b/text")).toBe("ENOENT");
    expect(resolve(root, "/c/to-b", false).kind).toBe("link");
  });

  test("a walk over more than forty links ends", () => {
    expect(read(tree().root, `/a/b${"/to-c/to-b".repeat(21)}/text`)).toBe("EINVAL");
    expect(read(tree().root, `/a/b${"/to-c/to-b".repeat(20)}/text`)).toBe("hello\n");
  });
});

describe("writes", () => {
  test.each([
    ["/a/b/store", "done"],
    ["/a/b/text", "EACCES"],
    ["/a/b/broken", "EBUSY"],
    ["/a/b/none", "EIO"],
    ["/a/b", "EISDIR"],
    ["/a/b/nosuch", "ENOENT"],
  ])("to %s end with %s", (path, answer) => {
    expect(write(tree().root, path, "1\n")).toBe(answer);
  });

  test("of nothing never reach the attribute", () => {
    const { root, written } = tree();
    expect(write(root, "/a/b/store", "")).toBe("done");
    expect(write(root, "/a/b/broken", "")).toBe("done");
    expect(written).toEqual([]);
  });

  test("are cut at a page, and their text ends at the first zero byte", () => {
    const { root, written } = tree();
    write(root, "/a/b/store", "x".repeat(pageBytes + 5));
    write(root, "/a/b/store", "5\x006\n");
    write(root, "/a/b/store", "\0");
    expect(written).toEqual([
      ["x".repeat(pageBytes), pageBytes],
      ["5", 4],
      ["", 1],
    ]);
  });
});

test("a listing is sorted by byte value, with modes and link texts", () => {
  const { root } = tree();
  expect(list(root, "/a/b")).toEqual(["broken 100644", "none 100644", "store 100200", "text 100444", "to-c 120777 -> ../../c"]);
  expect(list(root, "/")).toEqual(["a 40755", "c 40755"]);
  expect(list(root, "/c/to-b").length).toBe(5);
  expect(outcome(() => list(root, "/a/b/text").join())).toBe("ENOTDIR");
  expect(outcome(() => list(root, "/x").join())).toBe("ENOENT");
});
