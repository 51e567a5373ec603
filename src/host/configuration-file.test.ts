import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ConfigurationError } from "./configuration-error.ts";
import { configurationFrom, parseConfiguration, readConfigurationFile } from "./configuration-file.ts";

const parse = (text: string) => parseConfiguration(text, "lpar1.yaml");

function mistakesIn(text: string): readonly string[] {
  try {
    parse(text);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.lines;
    throw error;
  }
  return [];
}

describe("a configuration file", () => {
  test("needs no more than a name", () => {
    expect(parse("name: lpar1\n")).toEqual({
      name: "lpar1",
      kernel: "7.2",
      cmdline: "",
      modules: ["vfio_ap"],
      machine: {
        model: "z16",
        facilities: { ap: true, qci: true, apft: true, apqi: true, apxa: true },
        qact: false,
        rc8a: false,
        apsb: false,
        maxAdapter: 255,
        maxDomain: 84,
        announcesChanges: true,
        resetMs: 0,
        masterKeys: "none",
        adapters: [],
        usageDomains: [],
        controlDomains: [],
      },
      attributes: [],
      mdevs: [],
      guests: [],
    });
  });

  test("takes every number that YAML has, and gives sets in ascending order", () => {
    const { machine } = parse(
      "name: a\nmachine: { max-domain: 0xff, adapters: { 0x10: { type: CEX5C }, 6: { type: cex5a } }, usage-domains: [0xab, 4, 4] }\n",
    );
    expect(machine.adapters.map(({ id, profile }) => [id, profile.type, profile.mode])).toEqual([
      [6, 11, "accelerator"],
      [16, 11, "cca"],
    ]);
    expect(machine.usageDomains).toEqual([4, 171]);
    expect(machine.controlDomains).toEqual([4, 171]);
  });

  test.each([
    ["4.20", "4.20"],
    ["6.0", "6.0"],
    ["7.2", "7.2"],
    ['"6.12"', "6.12"],
  ])("takes kernel: %s as the text it is", (written, kernel) => {
    expect(parse(`name: a\nkernel: ${written}\n`).kernel).toBe(kernel);
  });

  test("takes a mask of 64 digits as the text it is", () => {
    const mask = `0x7d${"f".repeat(62)}`;
    expect(parse(`name: a\napmask: ${mask}\naqmask: -4\n`)).toMatchObject({ apmask: mask, aqmask: "-4" });
  });

  test("lets every bit of an adapter be set", () => {
    const { machine } = parse(
      "name: a\nmachine: { adapters: { 1: { type: CEX7C, class: restricted, filtering: true, depth: 3, message-limit: 5, max-domain: 9, raw-type: 15, configured: false, checkstop: true } } }\n",
    );
    expect(machine.adapters).toEqual([
      {
        id: 1,
        profile: { type: 15, mode: "cca", functions: 0x93400000, depth: 3, messageLimit: 5, maxDomain: 9 },
        isConfigured: false,
        isCheckstopped: true,
      },
    ]);
  });

  test("gives attributes in their order, each text with a newline", () => {
    const { attributes } = parse('name: a\nattributes:\n  /sys/b: ["1", "2\\n"]\n  /sys/a: x\n');
    expect(attributes).toEqual([
      { path: "/sys/b", text: "1\n" },
      { path: "/sys/b", text: "2\n" },
      { path: "/sys/a", text: "x\n" },
    ]);
  });

  test.each(["three-guests.yaml"])("is what examples/%s is", (name) => {
    const { guests, mdevs } = parse(readFileSync(`examples/${name}`, "utf8"));
    expect(guests.map(({ mdev }) => mdev)).toEqual(mdevs.map(({ uuid }) => uuid));
  });

  test("is what examples/libvirt/lpar1.yaml is, whose first mediated device the domain beside it has", () => {
    const { guests, mdevs } = parse(readFileSync("examples/libvirt/lpar1.yaml", "utf8"));
    expect(guests).toEqual([]);
    for (const file of ["my-guest.xml", "my-guest-hostdev.xml"]) {
      expect(readFileSync(`examples/libvirt/${file}`, "utf8")).toContain(`<address uuid='${mdevs[0]?.uuid}'/>`);
    }
  });

  test("has the same content as an object", () => {
    expect(configurationFrom({ name: "lpar1" })).toEqual(parse("name: lpar1\n"));
    expect(() => configurationFrom({ name: 5 })).toThrow("name: expected letters, digits, dots, dashes and underscores");
  });
});

describe("a guest of a configuration file", () => {
  const guestOf = (text: string) => parse(`name: a\nguests:\n  g: { ${text} }\n`).guests[0];

  test("is a model guest unless it says what to boot", () => {
    expect(guestOf("cpu: host")).toEqual({ name: "g", cpu: "host" });
  });

  test.each([
    ["linux: debian-12", { linux: "debian-12" }],
    ["kernel: /boot/vmlinuz", { kernel: "/boot/vmlinuz" }],
    ["disk: /disks/a.img", { disk: "/disks/a.img" }],
  ])("with %s is a real one of 512 MiB and one processor", (text, boot) => {
    expect(guestOf(text)).toEqual({ name: "g", cpu: "host", boot: { ...boot, memoryMib: 512, cpus: 1 } });
  });

  test("says all that a stock QEMU is to boot with", () => {
    expect(guestOf("kernel: k, initrd: i, append: console=ttysclp0, disk: d, linux: debian-13, memory: 1024, cpus: 4")?.boot).toEqual({
      ...{ kernel: "k", initrd: "i", append: "console=ttysclp0", disk: "d", linux: "debian-13" },
      ...{ memoryMib: 1024, cpus: 4 },
    });
  });

  test("has texts that look like numbers as they are written", () => {
    expect(guestOf("kernel: 6.10, append: 0x10, disk: 1e3, linux: 12.0, initrd: 007")?.boot).toMatchObject({
      ...{ kernel: "6.10", append: "0x10", disk: "1e3", linux: "12.0", initrd: "007" },
    });
  });

  test("has its files where the configuration is, wherever the host is started", () => {
    const folder = mkdtempSync(join(tmpdir(), "lpar-"));
    try {
      const file = join(folder, "lpar1.yaml");
      writeFileSync(
        file,
        "name: a\nguests:\n  g: { kernel: boot/k, initrd: ../i, disk: d.img, append: a/b, linux: debian-12 }\n  h: {}\n  i: { kernel: /boot/k }\n",
      );
      const [real, model, absolute] = readConfigurationFile(file).guests;
      expect(real?.boot).toEqual({
        ...{ kernel: join(folder, "boot/k"), initrd: join(folder, "../i"), disk: join(folder, "d.img"), append: "a/b", linux: "debian-12" },
        ...{ memoryMib: 512, cpus: 1 },
      });
      expect(model).toEqual({ name: "h", cpu: "host" });
      expect(absolute?.boot?.kernel).toBe("/boot/k");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("a mistake in a configuration file names file, line, column and what was expected", () => {
  test.each([
    [
      "no name",
      "kernel: '7.2'\n",
      "1:1: name is missing: expected letters, digits, dots, dashes and underscores, at most 32, the first a letter or digit",
    ],
    [
      "a name that is no folder's",
      "name: ../x\n",
      '1:7: name: expected letters, digits, dots, dashes and underscores, at most 32, the first a letter or digit, got "../x"',
    ],
    [
      "a card type",
      "name: a\nmachine:\n  adapters:\n    5: { type: CEX5Q }\n",
      '4:16: machine.adapters.5.type: expected a card type such as CEX5C, got "CEX5Q"',
    ],
    [
      "a missing card type",
      "name: a\nmachine:\n  adapters:\n    5: {}\n",
      "4:8: machine.adapters.5: type is missing: expected a card type such as CEX5C",
    ],
    [
      "an adapter number",
      "name: a\nmachine: { adapters: { 256: { type: CEX5C } } }\n",
      '2:24: machine.adapters.256: expected an adapter number from 0 to 255, got "256"',
    ],
    ["a key", "name: a\nmachine:\n  adaptors: {}\n", "3:3: machine.adaptors: unknown key; did you mean adapters?"],
    [
      "a key near nothing",
      "name: a\nxyzzyxyzzy: 1\n",
      "2:1: xyzzyxyzzy: unknown key; expected one of name, kernel, cmdline, modules, machine, apmask, aqmask, attributes, mdevs, guests",
    ],
    [
      "a key of an adapter",
      "name: a\nmachine: { adapters: { 5: { type: CEX5C, depht: 3 } } }\n",
      "2:42: machine.adapters.5.depht: unknown key; did you mean depth?",
    ],
    [
      "a domain number",
      "name: a\nmachine: { usage-domains: [4, 300] }\n",
      "2:31: machine.usage-domains.1: expected a domain number from 0 to 255, got 300",
    ],
    [
      "a domain above the machine's",
      "name: a\nmachine: { model: z14, usage-domains: [4, 85] }\n",
      "2:43: machine.usage-domains.1: expected at most 84 (max-domain), got 85",
    ],
    [
      "an adapter above the machine's",
      "name: a\nmachine: { max-adapter: 3, adapters: { 4: { type: CEX5C } } }\n",
      "2:40: machine.adapters.4: expected at most 3 (max-adapter), got 4",
    ],
    [
      "a domain without extended addressing",
      "name: a\nmachine: { facilities: [ap, qci, apft], usage-domains: [16] }\n",
      "2:57: machine.usage-domains.0: expected at most 15 (max-domain), got 16",
    ],
    ["a kernel", "name: a\nkernel: 5.4\n", '2:9: kernel: expected one of 4.20, 6.0, 6.1, 6.12, 7.2, 7.2-migration, got "5.4"'],
    ["a fraction", "name: a\nmachine: { max-domain: 1.5 }\n", "2:24: machine.max-domain: expected a domain number from 0 to 255, got 1.5"],
    [
      "a UUID",
      "name: a\nmdevs:\n  1234: {}\n",
      '3:3: mdevs.1234: expected a UUID such as 62177883-f1bb-47f0-914d-32a22e3a8804, got "1234"',
    ],
    [
      "a guest's device that there is not",
      "name: a\nguests:\n  g: { mdev: 62177883-f1bb-47f0-914d-32a22e3a8804 }\n",
      "3:14: guests.g.mdev: expected one of the mdevs of this file, got 62177883-f1bb-47f0-914d-32a22e3a8804",
    ],
    [
      "a processor that QEMU does not know",
      'name: a\nguests:\n  g: { cpu: "bogus,ap=on" }\n',
      "3:13: guests.g.cpu: expected a -cpu option such as host,ap=on, got bogus,ap=on: unable to find CPU model 'bogus'",
    ],
    [
      "a feature that is neither on nor off",
      'name: a\nguests:\n  g: { cpu: "host,ap=maybe" }\n',
      "3:13: guests.g.cpu: expected a -cpu option such as host,ap=on, got host,ap=maybe: can't apply global host-s390x-cpu.ap=maybe: ",
    ],
    [
      "a device of two guests",
      "name: a\nmdevs: { 62177883-f1bb-47f0-914d-32a22e3a8804: {} }\nguests:\n  g: { mdev: 62177883-f1bb-47f0-914d-32a22e3a8804 }\n  h: { mdev: 62177883-f1bb-47f0-914d-32a22e3a8804 }\n",
      "5:14: guests.h.mdev: expected a mediated device of its own, got the one of g",
    ],
    [
      "devices without their driver",
      "name: a\nmodules: []\nmdevs: { 62177883-f1bb-47f0-914d-32a22e3a8804: {} }\n",
      "2:10: modules: expected vfio_ap among the modules, since the file has mdevs",
    ],
    ...["initrd: i", "append: a", "memory: 512", "cpus: 2"].map((text) => [
      `${text} of a model guest`,
      `name: a\nguests:\n  g: { ${text} }\n`,
      `3:8: guests.g.${text.split(":")[0]}: expected with linux, kernel or disk only: a model guest has none`,
    ]),
    [
      "too little memory",
      "name: a\nguests:\n  g: { kernel: k, memory: 127 }\n",
      "3:27: guests.g.memory: expected a number of MiB from 128 to 1048576, got 127",
    ],
    [
      "memory with a unit",
      "name: a\nguests:\n  g: { kernel: k, memory: 1G }\n",
      '3:27: guests.g.memory: expected a number of MiB from 128 to 1048576, got "1G"',
    ],
    [
      "no processors",
      "name: a\nguests:\n  g: { kernel: k, cpus: 0 }\n",
      "3:25: guests.g.cpus: expected a number of processors from 1 to 64, got 0",
    ],
    ["an empty path", "name: a\nguests:\n  g: { kernel: '' }\n", '3:16: guests.g.kernel: expected the path of a kernel, got ""'],
    ["an empty disk", "name: a\nguests:\n  g: { disk: '' }\n", '3:14: guests.g.disk: expected the path of a disk image, got ""'],
    [
      "a kernel that is a list",
      "name: a\nguests:\n  g: { kernel: [k] }\n",
      '3:16: guests.g.kernel: expected the path of a kernel, got ["k"]',
    ],
    ["a key of a guest", "name: a\nguests:\n  g: { kernal: k }\n", "3:8: guests.g.kernal: unknown key; did you mean kernel?"],
    [
      "a path outside /sys",
      "name: a\nattributes: { /etc/passwd: x }\n",
      '2:15: attributes./etc/passwd: expected a path that starts with /sys/, got "/etc/passwd"',
    ],
    ["a list instead of a map", "- name: a\n", "1:1: expected a map of name, machine, mdevs and so on, got "],
    ["a list instead of a part", "name: a\nmachine: []\n", "2:10: machine: expected a machine such as "],
    ["an unknown anchor", "name: *nowhere\n", "1:7: *nowhere is no anchor above"],
    ["an empty file", "", "1:1: expected a map of name, machine, mdevs and so on, got null"],
    ["a key that is there twice", "name: a\nname: b\n", "2:1: Map keys must be unique"],
    [
      "an adapter that is there twice",
      "name: a\nmachine: { adapters: { 5: { type: CEX5C }, '0x5': { type: CEX5A } } }\n",
      "2:44: machine.adapters.0x5: adapter 5 is there twice",
    ],
    ["a second document", "name: a\n---\nname: b\n", "2:1: a second document begins here; expected one host a file"],
    ["no YAML", "name: [\n", "2:1: "],
  ])("%s", (_, text, expected) => {
    expect(mistakesIn(text).join("\n")).toContain(`lpar1.yaml:${expected}`);
  });

  test("all of them at once, in the order of the file", () => {
    const lines = mistakesIn("name: a\nkernel: 5\nmachine:\n  model: z99\n  adapters: { 5: { type: X } }\n  bogus: 1\n");
    expect(lines.map((line) => line.split(":")[1])).toEqual(["2", "4", "5", "6"]);
  });

  test("also where aliases would fill the memory", () => {
    const levels = Array.from({ length: 30 }, (_, level) => `a${level + 1}: &a${level + 1} [${Array(10).fill(`*a${level}`).join(",")}]`);
    expect(mistakesIn(`name: a\na0: &a0 x\n${levels.join("\n")}\n`)[0]).toContain("lpar1.yaml:");
  });

  test("whatever the text is", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc
            .array(fc.constantFrom("name: a", "machine:", "  adapters:", "    5: {", "}", "- x", "&a *a", "? ", "\t"))
            .map((lines) => lines.join("\n")),
        ),
        (text) => {
          for (const line of mistakesIn(text)) expect(line).toMatch(/^lpar1\.yaml:\d+:\d+: /);
        },
      ),
      { numRuns: 500 },
    );
  });
});
