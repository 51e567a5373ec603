// npm run test:long: what takes longer than npm test may: the mutants, random histories five times as long, ten times as many hostile streams, 50 hops, more moments to kill at. Its result is committed.
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const runs = [
  { name: "mutants", command: "npm", words: ["run", "--silent", "mutants"], environment: {} },
  { name: "histories", command: "npx", words: ["vitest", "run", "test/properties/history.test.ts"], environment: { ADJUNCT_RUNS: "5" } },
  {
    name: "migration streams",
    command: "npx",
    words: ["vitest", "run", "test/properties/migration-streams.test.ts"],
    environment: { ADJUNCT_RUNS: "10" },
  },
  { name: "hops", command: "npx", words: ["vitest", "run", "test/migration/hops.test.ts"], environment: { ADJUNCT_RUNS: "10" } },
  {
    name: "broken moves",
    command: "npx",
    words: ["vitest", "run", "test/migration/broken-moves.test.ts"],
    environment: { ADJUNCT_RUNS: "10" },
  },
];

const results = runs.map(({ name, command, words, environment }) => {
  const start = Date.now();
  const { status, stdout } = spawnSync(command, words, {
    cwd: root,
    env: { ...process.env, NO_COLOR: "1", ...environment },
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
    maxBuffer: 1 << 28,
  });
  process.stdout.write(stdout);
  const counted = stdout.split("\n").filter((line) => /operations|caught|survive|streams:|hops:|moves:/.test(line) && !/[✓×❯]/.test(line));
  return { name, hasPassed: status === 0, seconds: Math.round((Date.now() - start) / 1000), said: counted.map((line) => line.trim()) };
});
writeFileSync(join(root, "test/long-results.json"), `${JSON.stringify({ node: process.version, results }, null, 2)}\n`);
process.exitCode = results.every(({ hasPassed }) => hasPassed) ? 0 : 1;
