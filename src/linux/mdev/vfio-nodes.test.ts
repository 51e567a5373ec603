import { expect, test } from "vitest";
import { exampleHost, uuids } from "../../../test/support/test-host.ts";
import { list, openAttribute, readAttribute } from "../../sysfs/tree.ts";

test("/dev/vfio has the container and a file a group, which cannot be opened while its device is in use", () => {
  const host = exampleHost("7.2");
  const { root } = host.host;
  const open = (group: string) => openAttribute(root, `/dev/vfio/${group}`, "read");
  host.createMdev(uuids[0]);
  host.createMdev(uuids[1]);
  expect(list(root, "/dev/vfio")).toEqual(["0 100600", "1 100600", "vfio 100666"]);
  expect(() => readAttribute(open("1"))).toThrow("EINVAL");
  expect(host.startGuest("guest1", uuids[1])).toBe("done");
  expect(() => open("1")).toThrow("EBUSY");
  expect(() => open("0")).not.toThrow();
});
