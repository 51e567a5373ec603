import { existsSync } from "node:fs";
import { afterEach, describe, expect, test } from "vitest";
import { forgetMdevs, type Mdevctl, mdevctls, ownCallouts, useMdevctlHost } from "./mdevctl-host.ts";

const first = "11111111-2222-3333-4444-555555555555";
const second = "22222222-2222-3333-4444-555555555555";
const type = "vfio_ap-passthrough";
const device = (uuid: string): string => `/sys/bus/mdev/devices/${uuid}`;
const failed = (attribute: string, value: string, cause: string): string =>
  `Error: Failed to write ${value} to attribute ${attribute}\n\nCaused by:\n    ${cause}\nstatus 1\n`;
const inUse = "Address already in use (os error 98)";

/** The older one ends all it prints with one more line. */
const printedBy = (mdevctl: Mdevctl, text: string): string => (mdevctl === "1.2.0" ? `${text}\n` : text);

/** Adapters 5 and 6 are vfio_ap's, 7 is zcrypt's. */
const machine = `machine: { model: z14, adapters: { 5: { type: CEX5C }, 6: { type: CEX5A }, 7: { type: CEX5C } }, usage-domains: [4, 5] }
apmask: "-5,-6"
`;

describe.each(mdevctls)("mdevctl %s", (mdevctl) => {
  const host = useMdevctlHost("lpar", `name: lpar\n${machine}`);
  const text = (command: string): Promise<string> => host.text(mdevctl, command);
  const prints = async (command: string, expected: string): Promise<void> => expect(await text(command)).toBe(expected);
  const lists = (command: string, expected: string): Promise<void> => prints(command, printedBy(mdevctl, expected));
  const define = async (uuid: string, ...attributes: readonly (readonly [string, string])[]): Promise<void> => {
    const additions = attributes.map(([name, value]) => `mdevctl modify -u ${uuid} --addattr ${name} --value ${value}`);
    await prints([`mdevctl define -u ${uuid} -p matrix -t ${type}`, ...additions].join(" && "), "");
  };
  const startable = [
    ["assign_adapter", "0x05"],
    ["assign_domain", "0x0004"],
  ] as const;

  afterEach(async () => {
    await host.run(mdevctl, forgetMdevs);
  });

  test("is the version that it is taken for", () => prints("mdevctl --version", `mdevctl ${mdevctl}\n`));

  test("shows vfio_ap's type of devices", async () => {
    await lists(
      "mdevctl types",
      `matrix\n  ${type}\n    Available instances: 65536\n    Device API: vfio-ap\n    Name: VFIO AP Passthrough Device\n`,
    );
    expect(JSON.parse(await text("mdevctl types --dumpjson"))).toEqual([
      { matrix: [{ [type]: { available_instances: 65536, device_api: "vfio-ap", name: "VFIO AP Passthrough Device" } }] },
    ]);
  });

  test("defines a device, in the host's folder and not in the machine's", async () => {
    await define(first, ...startable);
    await lists(
      "mdevctl list -d -v",
      `${first} matrix ${type} manual\n  Attrs:\n    @{0}: {"assign_adapter":"0x05"}\n    @{1}: {"assign_domain":"0x0004"}\n`,
    );
    await prints("mdevctl list", printedBy(mdevctl, ""));
    const definition = { mdev_type: type, start: "manual", attrs: [{ assign_adapter: "0x05" }, { assign_domain: "0x0004" }] };
    expect(JSON.parse(await text("mdevctl list -d --dumpjson"))).toEqual([{ matrix: [{ [first]: definition }] }]);
    expect(JSON.parse(await text(`cat /etc/mdevctl.d/matrix/${first}`))).toEqual(definition);
    expect(existsSync(`/etc/mdevctl.d/matrix/${first}`)).toBe(false);
    await prints(`mdevctl define -u ${first} -p matrix -t ${type}`, `Error: Device ${first} on matrix already defined\nstatus 1\n`);
  });

  test("modifies and undefines a definition", async () => {
    await define(first, ...startable);
    await prints(`mdevctl modify -u ${first} --delattr --index 0 && mdevctl modify -u ${first} -a`, "");
    await lists("mdevctl list -d -v", `${first} matrix ${type} auto\n  Attrs:\n    @{0}: {"assign_domain":"0x0004"}\n`);
    await prints(`mdevctl undefine -u ${first}`, "");
    await lists("mdevctl list -d", "");
    await prints(`mdevctl undefine -u ${first}`, "Error: No devices match the specified uuid\nstatus 1\n");
    await prints(`mdevctl modify -u ${first} -m`, `Error: Mediated device ${first} is not defined\nstatus 1\n`);
    await prints(`mdevctl start -u ${first}`, "Error: Device is insufficiently specified\nstatus 1\n");
  });

  test("starts a device with its attributes, lists it and stops it", async () => {
    await define(first, ...startable, ["assign_control_domain", "5"]);
    await prints(`mdevctl start -u ${first}`, "");
    await prints(`cat ${device(first)}/matrix ${device(first)}/control_domains`, "05.0004\n0005\n");
    await lists("mdevctl list", `${first} matrix ${type} manual (defined)\n`);
    await lists("mdevctl list -d", `${first} matrix ${type} manual (active)\n`);
    await prints(`mdevctl start -u ${first}`, "Error: Device already exists\nstatus 1\n");
    await prints(`mdevctl stop -u ${first}`, "");
    await lists("mdevctl list", "");
    const gone = {
      "1.2.0": `Error: Error removing device ${first}\n\nCaused by:\n    No such file or directory (os error 2)\n`,
      "1.4.0": `Error: Device ${first} is not an active mdev\n`,
    };
    await prints(`mdevctl stop -u ${first}`, `${gone[mdevctl]}status 1\n`);
  });

  test("makes up the UUID of a device that has none", async () => {
    const { stdout, status } = await host.run(mdevctl, `mdevctl start -p matrix -t ${type}`);
    expect(status).toBe(0);
    expect(stdout.trim()).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    await prints("ls /sys/bus/mdev/devices", `${stdout.trim()}\n`);
  });

  test("starts what is defined to start by itself, and only warns of what cannot", async () => {
    await define(first, ...startable);
    await define(second, ["assign_adapter", "9999"]);
    await prints(`mdevctl modify -u ${first} -a && mdevctl modify -u ${second} --auto`, "");
    const { stderr, status } = await host.run(mdevctl, "mdevctl start-parent-mdevs matrix");
    expect(status).toBe(0);
    expect(stderr).toMatch(/WARN {2}mdevctl\] Failed to write 9999 to attribute assign_adapter\n.*No such device \(os error 19\)\n$/);
    await lists("mdevctl list", `${first} matrix ${type} auto (defined)\n`);
  });

  test.each([
    ["assign_adapter", "9999", "No such device (os error 19)"],
    ["assign_adapter", "five", "Invalid argument (os error 22)"],
    ["assign_domain", "0x100", "No such device (os error 19)"],
    ["unassign_adapter", "5x", "Invalid argument (os error 22)"],
    ["assign_control_domain", "300", "No such device (os error 19)"],
  ])("passes the kernel's refusal of %s = %s on: %s", async (attribute, value, cause) => {
    await define(first, [attribute, value]);
    await prints(`mdevctl start -u ${first}`, failed(attribute, value, cause));
    await prints("ls /sys/bus/mdev/devices", "");
  });

  test("leaves nothing behind when the third attribute is another device's", async () => {
    await define(first, ...startable);
    await prints(`mdevctl start -u ${first}`, "");
    await define(second, ["assign_domain", "4"], ["assign_adapter", "6"], ["assign_adapter", "5"]);
    await prints(`mdevctl start -u ${second}`, failed("assign_adapter", "5", inUse));
    await prints("ls /sys/bus/mdev/devices", `${first}\n`);
    // What it had until then is free again.
    await prints(`mdevctl modify -u ${second} --delattr && mdevctl start -u ${second}`, "");
    await prints(`cat ${device(second)}/matrix`, "06.0004\n");
  });

  test("passes the refusal of a queue of the host's own drivers on", async () => {
    await define(first, ["assign_adapter", "7"], ["assign_domain", "4"]);
    await prints(`mdevctl start -u ${first}`, failed("assign_domain", "4", "Cannot assign requested address (os error 99)"));
    await prints("ls /sys/bus/mdev/devices", "");
  });

  test("knows the parents, types and attributes of the host", async () => {
    await prints(`mdevctl start -u ${first} -p foo -t ${type}`, "Error: Unable to find parent device 'foo'\nstatus 1\n");
    await prints(
      `mdevctl start -u ${first} -p Matrix -t ${type}`,
      "Error: Unable to find parent device 'Matrix'. Did you mean 'matrix'?\nstatus 1\n",
    );
    await prints(`mdevctl start -u ${first} -p matrix -t nope`, "Error: Parent matrix does not support mdev type nope\nstatus 1\n");
    await define(first, ["nope", "1"]);
    await prints(`mdevctl start -u ${first}`, "Error: Invalid attribute 'nope'\nstatus 1\n");
    await prints("ls /sys/bus/mdev/devices", "");
  });

  test("passes the message of a callout on that refuses a start", async () => {
    await define(first, ["assign_adapter", "5"]);
    const refused = await host.text(mdevctl, `mdevctl start -u ${first}`, ownCallouts);
    const callout = {
      "1.2.0": 'callout script "/etc/mdevctl.d/scripts.d/callouts/vfio-ap.sh" failed with return code 1',
      "1.4.0": `Script '"/usr/lib/mdevctl/scripts.d/callouts/vfio-ap.sh"' failed with status '1'`,
    };
    expect(refused).toBe(`vfio-ap.sh: ${first} has no usage domain
Error: ${callout[mdevctl]}
status 1
`);
    await prints("ls /sys/bus/mdev/devices", "");
    await prints(`mdevctl start -u ${first}`, "");
  });
});

describe("a device that a guest uses", () => {
  const guest = `mdevs: { ${first}: { adapters: [5], domains: [4] } }
guests: { guest1: { cpu: "host,ap=on,apqci=on,apft=on,apqi=on", mdev: ${first} } }
`;

  describe("on a kernel that does not unplug it", () => {
    const host = useMdevctlHost("old", `name: old\nkernel: "4.20"\n${machine}${guest}`);

    test.each(mdevctls)("is not stopped by mdevctl %s, which says that it is busy", async (mdevctl) => {
      const busy = "Device or resource busy (os error 16)";
      expect(await host.text(mdevctl, `mdevctl stop -u ${first}`)).toBe(
        `Error: Error removing device ${first}\n\nCaused by:\n    ${busy}\nstatus 1\n`,
      );
      expect(await host.text(mdevctl, `cat ${device(first)}/matrix`)).toBe("05.0004\n");
    });
  });

  describe("on a kernel that unplugs it", () => {
    const host = useMdevctlHost("new", `name: new\n${machine}${guest}`);

    test("is stopped, and its queues are free", async () => {
      expect(await host.text("1.4.0", `mdevctl stop -u ${first}; ls /sys/bus/mdev/devices`)).toBe("");
      expect(await host.text("1.2.0", "dmesg")).toContain(`${first}: Relaying device request to user`);
      expect(await host.text("1.2.0", `mdevctl start -u ${second} -p matrix -t ${type} && echo 5 > ${device(second)}/assign_adapter`)).toBe(
        "",
      );
    });
  });
});
