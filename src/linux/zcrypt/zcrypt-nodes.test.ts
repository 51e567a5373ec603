import { expect, test } from "vitest";
import { TestHost } from "../../../test/support/test-host.ts";

const zcrypt = "/sys/class/zcrypt";
const create = (host: TestHost, name: string): string => host.write(`${zcrypt}/create`, name);

test.each([
  ["mynode\n", "mynode"],
  ["  mynode \t\n", "mynode"],
  ["\n", "zcrypt_0"],
  ["a".repeat(40), "a".repeat(31)],
  [`${"a".repeat(30)} b`, "a".repeat(30)],
  ["a/b\n", "a!b"],
])("create of %j makes the node %s", (text, name) => {
  const host = new TestHost();
  expect(create(host, text)).toBe("done");
  expect(host.names(zcrypt)).toEqual([...[name], "create", "destroy"].sort());
  expect(host.read(`${zcrypt}/${name}/uevent`)).toBe(`MAJOR=249\nMINOR=0\nDEVNAME=${name.replace("!", "/")}\n`);
});

test("a node is announced when it comes and when it goes, with what its place in /dev needs", () => {
  const host = new TestHost();
  create(host, "first\n");
  create(host, "a/b\n");
  host.write(`${zcrypt}/destroy`, "a/b");
  expect(host.ueventTexts()).toEqual([
    "add /devices/virtual/zcrypt/first MAJOR=249 MINOR=0 DEVNAME=first",
    "add /devices/virtual/zcrypt/a!b MAJOR=249 MINOR=1 DEVNAME=a/b",
    "remove /devices/virtual/zcrypt/a!b MAJOR=249 MINOR=1 DEVNAME=a/b",
  ]);
});

test("names are taken once, numbers are given back, and an unknown name is not there", () => {
  const host = new TestHost();
  create(host, "one");
  create(host, "two");
  expect(create(host, "one\n")).toBe("EEXIST");
  expect(host.write(`${zcrypt}/destroy`, "three")).toBe("ENOENT");
  expect(host.write(`${zcrypt}/destroy`, " one \n")).toBe("done");
  create(host, "\n");
  expect(host.read(`${zcrypt}/zcrypt_0/dev`)).toBe("249:0\n");
  for (const name of ["two", "zcrypt_0"]) host.write(`${zcrypt}/destroy`, name);
  expect(host.names(zcrypt)).toEqual(["create", "destroy"]);
  expect(host.exists("/sys/devices/virtual/zcrypt")).toBe(false);
});

test("256 nodes are all: ENOSPC", () => {
  const host = new TestHost();
  for (let count = 0; count < 256; count++) expect(create(host, `node${count}`)).toBe("done");
  expect(create(host, "one more")).toBe("ENOSPC");
  expect(create(host, "node5")).toBe("EEXIST");
});

test("a node's masks are zero at first and take what apmask takes", () => {
  const host = new TestHost();
  create(host, "mynode");
  for (const name of ["ioctlmask", "apmask", "aqmask", "admask"]) {
    const file = `${zcrypt}/mynode/${name}`;
    expect(host.read(file)).toBe(`0x${"0".repeat(64)}\n`);
    expect(host.write(file, "+0,+5-7\n")).toBe("done");
    expect(host.write(file, "+256\n")).toBe("EINVAL");
    expect(host.read(file)).toBe(`0x87${"0".repeat(62)}\n`);
  }
});

test("the files that make and destroy are root's alone", () => {
  expect(new TestHost().entries(zcrypt)).toEqual(["create 100600", "destroy 100600"]);
});
