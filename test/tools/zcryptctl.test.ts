import { afterEach, describe, expect, test } from "vitest";
import { suites, useToolHost } from "./tool-host.ts";

/** zcryptctl: nodes in sysfs and in the host's own /dev, and their masks. */
const host = useToolHost("nodes", "name: nodes\nmachine: { adapters: { 5: { type: CEX8C } }, usage-domains: [5] }\n");

afterEach(async () => {
  await host.run(
    "trixie",
    "for node in $(ls /sys/class/zcrypt | grep -v -e create -e destroy); do echo $node > /sys/class/zcrypt/destroy; done",
  );
});

/** In a user namespace nobody makes devices: there /dev/null stands in. */
const canMakeNodes = process.getuid?.() === 0;
const devices = (names: string): string => `stat -c '%n %F %t:%T %a' ${names}`;
const device = (name: string, major: string, minor: string, mode: string): string =>
  `/dev/${name} character special file ${canMakeNodes ? `${major}:${minor} ${mode}` : "1:3 666"}\n`;

describe.each(suites)("zcryptctl of %s", (suite) => {
  const prints = async (command: string, text: string): Promise<void> => expect(await host.text(suite, command)).toBe(text);
  /** Debian 12's knows no control domains. */
  const isNew = suite === "trixie";

  test("creates and destroys nodes, whose devices come and go with them", async () => {
    await prints("zcryptctl list", "No additional zcrypt device nodes defined\n");
    await prints("zcryptctl create && zcryptctl create mine", "Device node created\nDevice node created\n");
    await prints(devices("/dev/zcrypt_0 /dev/mine"), device("zcrypt_0", "f9", "0", "600") + device("mine", "f9", "1", "600"));
    const node = (name: string, minor: number): string =>
      `zcrypt node name:\t${name}\n  device node:\t/dev/${name}\n  major:minor:\t249:${minor}\n  adapter:\n  domains:\n${isNew ? "  control domains:\n" : ""}  ioctls:\n`;
    expect((await host.text(suite, "zcryptctl list")).replaceAll("\t\n", "\n")).toBe(node("zcrypt_0", 0) + node("mine", 1));
    await prints("zcryptctl destroy mine", "Device node 'mine' marked for destruction\n");
    await prints("ls /dev/mine", "ls: cannot access '/dev/mine': No such file or directory\nstatus 2\n");
    await prints("zcryptctl destroy mine", "zcryptctl: Invalid or unknown nodename 'mine'\nstatus 1\n");
  });

  test("a name that is taken is refused by the kernel, and the tool says so", async () => {
    await host.run(suite, "zcryptctl create mine");
    expect(await host.run(suite, "zcryptctl create mine")).toMatchObject({ status: 1, stdout: "" });
  });

  test("sets and clears the masks of a node", async () => {
    await host.run(suite, "zcryptctl create mine");
    await prints(
      "zcryptctl addap mine 3; zcryptctl addap mine 5; zcryptctl delap mine 3",
      "Adapter 3 added\nAdapter 5 added\nAdapter 3 removed\n",
    );
    await prints("zcryptctl adddom mine ALL; zcryptctl deldom mine 255", "All domains added\nDomain 255 removed\n");
    await prints("zcryptctl addioctl mine ICARSAMODEXPO; zcryptctl addioctl mine 129", "Ioctl ICARSAMODEXPO added\nIoctl 129 added\n");
    if (isNew) await prints("zcryptctl addctrl mine 7", "Control domain 7 added\n");
    const masks = await host.text(suite, "cd /sys/class/zcrypt/mine; cat apmask aqmask admask ioctlmask");
    const mask = (...words: string[]): string => `0x${words.join("").padEnd(64, "0")}\n`;
    expect(masks).toBe(mask("04") + mask("f".repeat(63), "e") + mask(isNew ? "01" : "") + mask("04", "0".repeat(30), "4"));
    await prints("zcryptctl addap mine 256", "zcryptctl: Adapter argument '256' out of range [0..255]\nstatus 1\n");
    expect(await host.run(suite, "zcryptctl addap none 3")).toMatchObject({ status: 1, stdout: "" });
  });

  test("listconfig prints what config takes", async () => {
    await host.run(suite, "zcryptctl create mine; zcryptctl addap mine 5; zcryptctl adddom mine 4; zcryptctl addioctl mine ZSECSENDCPRB");
    const listed = await host.text(suite, "zcryptctl listconfig");
    expect(listed).toMatch(/^node = mine\n/);
    expect(listed).toContain(" aps = 5\n doms = 4\n");
    const again = await host.text(
      suite,
      "zcryptctl listconfig > /dev/shm/nodes; zcryptctl destroy mine > /dev/null; zcryptctl config /dev/shm/nodes > /dev/null; zcryptctl listconfig; rm /dev/shm/nodes",
    );
    expect(again).toBe(listed);
  });
});

test("/dev/z90crypt is there, for everybody, and no driver of the machine is behind it", async () => {
  expect(await host.text("trixie", devices("/dev/z90crypt"))).toBe(device("z90crypt", "a", "3f", "666"));
  if (canMakeNodes)
    expect(await host.text("trixie", "LC_ALL=C cat /dev/z90crypt")).toBe("cat: /dev/z90crypt: Permission denied\nstatus 1\n");
});

test("no node's name leads out of /dev or takes the place of another device", async () => {
  const names = ["../escaped", "deep/er", "null", "fd/x", "-m", "two words"];
  for (const name of names) await host.run("trixie", `echo '${name}' > /sys/class/zcrypt/create`);
  const found = await host.text(
    "trixie",
    "cd /dev && stat -c '%n %F' ./null ./deep/er './two words' ./-m; ls /escaped /proc/self/fd/x 2>&1 | wc -l",
  );
  const special = "character special file";
  expect(found).toBe(`./null ${special}\n./deep/er ${special}\n./two words ${special}\n./-m ${special}\n2\n`);
  for (const name of names) await host.run("trixie", `echo '${name}' > /sys/class/zcrypt/destroy`);
  expect(await host.text("trixie", "cd /dev; ls -d ./null ./deep './two words' ./-m 2> /dev/null")).toBe("./null\nstatus 2\n");
});
