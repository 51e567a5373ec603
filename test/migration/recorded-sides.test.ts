import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { useTwoHosts, uuid } from "./two-hosts.ts";

/** `adjunct migrate --check` of files alone: of hosts that are elsewhere, or were. */
const hosts = useTwoHosts();
const example = (name: string): string => join(import.meta.dirname, "../../examples", name);
const [source, target] = [example("two-hosts-source.yaml"), example("two-hosts-destination.yaml")];

function file(text: string): string {
  const path = join(hosts.current.folder, "recorded.yaml");
  writeFileSync(path, text);
  return path;
}

const recorded = (mkvps: string): string => `name: lpar1
kernel: 7.2-migration
machine: { adapters: { 5: { type: CEX7C }, 6: { type: CEX7A } }, usage-domains: [4, 0x47], control-domains: [4, 0x47] }
apmask: "-5,-6"
attributes: { /sys/devices/ap/card05/05.0004/mkvps: "AES CUR: ${mkvps}" }
mdevs: { ${uuid}: { adapters: [5], domains: [4] } }
`;

describe("a check of two files", () => {
  test("says of the examples that the guest can move, a line a queue", async () => {
    const { status, printed } = await hosts.current.adjunct("migrate", source, "guest1", target, "--check");
    expect([status, printed.at(0), printed.at(-1)]).toEqual([
      0,
      `guest1, ${uuid}: source -> destination; 4 queues, 1 control domain; kernel 7.2-migration -> 7.2-migration`,
      "the guest can move",
    ]);
    expect(printed.filter((line) => line.endsWith("  ok"))).toHaveLength(4);
  });

  test("takes a mediated device for the guest, and says with status 1 and as JSON what blocks it", async () => {
    const old = file(
      recorded("valid 0x1122334455667788")
        .replaceAll("CEX7", "CEX6")
        .replace("-5,-6", "-6")
        .replace(/mdevs.*\n/, ""),
    );
    const { status, printed } = await hosts.current.adjunct("migrate", source, uuid, old, "--check", "--json");
    const { isPossible, findings } = JSON.parse(printed.join("")) as { isPossible: boolean; findings: { rule: string }[] };
    expect([status, isPossible]).toEqual([1, false]);
    expect(new Set(findings.map(({ rule }) => rule))).toEqual(
      new Set(["queue-not-bound", "type", "host-owned", "master-key", "master-key-unknown"]),
    );
  });

  test("compares patterns that were recorded, and says what is not known of others", async () => {
    const known = file(recorded("valid 0x1122334455667788"));
    const other = await hosts.current.adjunct("migrate", known, uuid, target, "--check", "--json");
    expect(JSON.parse(other.printed.join(""))).toMatchObject({
      isPossible: true,
      findings: [{ rule: "master-key", source: "AES CUR 1122334455667788" }],
    });
    const unknown = file(recorded("- -"));
    const nothing = await hosts.current.adjunct("migrate", unknown, uuid, target, "--check", "--json");
    expect(JSON.parse(nothing.printed.join(""))).toMatchObject({ isPossible: true, findings: [{ rule: "master-key-unknown" }] });
  });

  test("names what there is for a guest that is not there, and moves nothing out of a file", async () => {
    const { status, noted } = await hosts.current.adjunct("migrate", source, "guest7", target, "--check");
    expect([status, noted]).toEqual([1, [`adjunct: no guest or mediated device guest7 in source: there are guest1, ${uuid}`]]);
    expect((await hosts.current.adjunct("migrate", source, "guest1", target)).status).toBe(2);
  });
});
