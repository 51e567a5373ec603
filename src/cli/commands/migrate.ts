import { withHost } from "../../host/known-hosts.ts";
import { checkMigration } from "../../migration/check-migration.ts";
import { isPossible } from "../../migration/finding.ts";
import { type MoveResult, moveGuest } from "../../migration/move-guest.ts";
import type { MigrationInfo } from "../../migration/send-guest.ts";
import { questionFor } from "../../migration/side-facts.ts";
import { type Command, exitStatus, type Invocation, printResult, UsageError } from "../command.ts";
import { checkLines, findingLines, type MigrationCheck, migrationCheck } from "../migration-report.ts";
import { isFile, openMigrationSide } from "../migration-side.ts";
import { ProgressLine } from "../progress-line.ts";

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
  run(invocation) {
    const [source = "", guest = "", target = ""] = invocation.arguments;
    if (invocation.options.check === true) return check(invocation, source, guest, target);
    for (const name of [source, target]) if (isFile(name)) throw new UsageError(`${name} is a file: only --check takes one`);
    if (source === target) throw new UsageError(`${guest} is on ${source} already: name another host`);
    return move(invocation, source, guest, target);
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

/** Between two looks at how it goes. */
const lookMs = 50;

async function move(invocation: Invocation, source: string, guest: string, target: string): Promise<number> {
  const { options, output, wantsJson } = invocation;
  const progress = new ProgressLine(output);
  const interrupted = new AbortController();
  const interrupt = (): void => interrupted.abort();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, interrupt);
  try {
    const result = await withHost(source, (from) =>
      withHost(target, (to) =>
        moveGuest(
          { name: source, ask: (command) => from.request(command) },
          { name: target, ask: (command) => to.request(command) },
          {
            guest,
            createsMdev: options.create !== false,
            isHeld: options.hold !== false,
            nowMs: Date.now,
            pause: () => new Promise((resolve) => setTimeout(resolve, lookMs)),
            onFindings: (findings) => {
              if (!wantsJson) for (const line of findingLines(findings)) output.note(line);
              if (!wantsJson && !isPossible(findings)) output.note("this will not go well; trying all the same");
            },
            onProgress: (info) => {
              if (!wantsJson) progress.show(progressText(guest, info, progress.isLine ? 1 : percentALine));
            },
            signal: interrupted.signal,
          },
        ),
      ),
    );
    progress.end();
    report(invocation, result, `${guest} runs on ${target} now`);
    return result.isMoved ? exitStatus.done : exitStatus.refused;
  } finally {
    progress.end();
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.off(signal, interrupt);
  }
}

function report({ output, wantsJson }: Invocation, result: MoveResult, done: string): void {
  if (wantsJson) output.print(JSON.stringify(result, null, 2));
  else if (!result.isMoved) output.note(result.line);
  else output.print(`${done}: it stood for ${standText(result.info.downtime ?? 0)}`);
}

const standText = (downtimeMs: number): string => (downtimeMs < 1 ? "less than a millisecond" : `${downtimeMs} ms`);

/** Where every text is a line of its own. */
const percentALine = 20;

function progressText(guest: string, { status, ram }: MigrationInfo, step: number): string {
  if (!ram || ram.total === 0) return `${guest}: ${status}`;
  const percent = Math.min(100, (100 * (ram.total - ram.remaining)) / ram.total);
  const done = step * Math.floor(percent / step);
  return `${guest}: ${status}, ${done}% of ${Math.round(ram.total / 2 ** 20)} MiB`;
}
