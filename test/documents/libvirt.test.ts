import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { useToolHost } from "../tools/tool-host.ts";

/**
 * The procedure of IBM's document "Managing VFIO AP mediated devices with libvirt", typed with Debian 12's virsh and lszcrypt. libvirt-procedure.txt
 * has what is typed and what the document shows for it; only these differences are let pass: letter case and column widths of lszcrypt and
 * columns that `...` stands for, indentation and kinds of quotes, the driver and the group's number of a mediated device, and its uuid,
 * parent_addr and attr elements, which libvirt has shown since.
 */
const host = useToolHost(
  "procedure",
  `name: procedure
machine: { model: z14, adapters: { 8: { type: CEX5C }, 9: { type: CEX5C } }, usage-domains: [1, 2] }
aqmask: "-1,-2"
`,
);

interface Command {
  readonly text: string;
  readonly shown: string[];
}

const commands: Command[] = [];
for (const line of readFileSync(new URL("libvirt-procedure.txt", import.meta.url), "utf8").split("\n")) {
  if (line.startsWith("$ ")) commands.push({ text: line.slice(2), shown: [] });
  else if (line !== "" && !line.startsWith("#")) commands.at(-1)?.shown.push(line);
}

const deviceFile = `<device>
    <parent>ap_matrix</parent>
    <capability type="mdev">
        <type id="vfio_ap-passthrough"/>
        <attr name="assign_adapter" value="0x08"/>
        <attr name="assign_adapter" value="0x09"/>
        <attr name="assign_domain" value="0x0002"/>
        <uuid>bfccf00d-21f1-448c-9979-b7341129d985</uuid>
    </capability>
</device>
`;

/** A listing of lszcrypt as words, without the columns between the fourth and the last but one, and without the rule. */
const listing = (lines: readonly string[]): string[] =>
  lines
    .filter((line) => line !== "" && !line.startsWith("---"))
    .map((line) => {
      const words = line.toLowerCase().split(/\s+/).filter(Boolean);
      return [...words.slice(0, 4), ...words.slice(-2)].join(" ");
    });

const addedSince = /^<(uuid|parent_addr|attr)\b/;

const description = (lines: readonly string[]): string[] => {
  const texts = lines.map((line) => line.trim().replaceAll("'", '"')).filter((line) => line !== "" && !addedSince.test(line));
  if (!texts.includes('<capability type="mdev">')) return texts;
  return texts.map((line) =>
    line.replace(/<name>vfio(_ap)?_mdev</, "<name>DRIVER<").replace(/iommuGroup number="\d+"/, 'iommuGroup number="N"'),
  );
};

/** Who is below whom cannot be seen from the document's drawing, whose first card is drawn otherwise than its second. */
const tree = (lines: readonly string[]): string[] =>
  lines.map((line) => line.replace(/[\s|]/g, "")).filter((line) => line !== "" && line !== "...");

const messages = (lines: readonly string[]): string[] => lines.map((line) => line.replaceAll("'", "").trim()).filter((line) => line !== "");

const normalized = (command: string): ((lines: readonly string[]) => string[]) => {
  if (command.startsWith("lszcrypt")) return listing;
  if (command.includes("dumpxml")) return description;
  return command.includes("--tree") ? tree : messages;
};

describe("the document's procedure", () => {
  // One after the other: each needs those before it.
  test.each(commands)("$text prints what the document shows", async ({ text, shown }) => {
    host.sandbox.file("apmatrices/08-09_0002.xml", deviceFile);
    const { status, stdout, stderr } = await host.run("bookworm", `HOME=${host.sandbox.folder}; export HOME; ${text}`);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const normalize = normalized(text);
    expect(normalize(stdout.replaceAll(host.sandbox.folder, "~").split("\n"))).toEqual(normalize(shown));
  });
});
