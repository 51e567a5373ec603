import { checkMigration } from "../../migration/check-migration.ts";
import { questionFor } from "../../migration/side-facts.ts";
import { type Command, exitStatus, type Invocation, printResult, UsageError } from "../command.ts";
import { checkLines, type MigrationCheck, migrationCheck } from "../migration-report.ts";
import { isFile, openMigrationSide } from "../migration-side.ts";

export const migrate: Command = {
  name: "migrate",
  summary: "move a running guest to another host, or tell beforehand why it could not move",
  arguments: [
    { name: "SOURCE", description: "the host that the guest is on; with --check also a file of adjunct record" },
    { name: "GUEST", description: "the guest; in a file also the UUID of a mediated device" },
    { name: "DESTINATION", description: "another running host; with --check also a file" },
  ],
  options: [
    { flags: "--check", description: "only report; nothing is changed anywhere" },
    { flags: "--no-create", description: "do not make a mediated device that the destination lacks" },
    { flags: "--no-hold", description: "let masks, matrices and master keys change meanwhile" },
  ],
  examples: [
    "adjunct migrate lpar1 guest1 lpar2 --check",
    "adjunct migrate lpar1 guest1 lpar2",
    "adjunct migrate lpar1.yaml guest1 ./lpar2.yaml --check --json",
  ],
  async run(invocation) {
    const [source = "", guest = "", target = ""] = invocation.arguments;
    if (invocation.options.check === true) return check(invocation, source, guest, target);
    for (const name of [source, target]) if (isFile(name)) throw new UsageError(`${name} is a file: only --check takes one`);
    throw new UsageError("only --check is there");
  },
};

async function check(invocation: Invocation, sourceName: string, guest: string, targetName: string): Promise<number> {
  const result = await checkSides(sourceName, guest, targetName, invocation.options.create !== false);
  printResult(invocation, result, () => checkLines(result));
  return result.isPossible ? exitStatus.done : exitStatus.refused;
}

async function checkSides(sourceName: string, guest: string, targetName: string, createsMdev: boolean): Promise<MigrationCheck> {
  const from = await openMigrationSide(sourceName);
  try {
    const to = await openMigrationSide(targetName);
    try {
      const source = await from.facts({ of: "guest", name: guest });
      const target = await to.facts(questionFor(source));
      return migrationCheck(source, target, checkMigration(source, target, { createsMdev }));
    } finally {
      to.close();
    }
  } finally {
    from.close();
  }
}
