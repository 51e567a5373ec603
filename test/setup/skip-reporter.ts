import { readFileSync } from "node:fs";
import type { Reporter, TestModule } from "vitest/node";

/**
 * Says at the end which tests did not run and why. With CI=true a skip fails the run unless `allowed-skips.json` lists the test
 * with a reason.
 */
export default class SkipReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const allowed = JSON.parse(readFileSync(new URL("./allowed-skips.json", import.meta.url), "utf8")) as Record<string, string>;
    const skipped: { readonly title: string; readonly reason: string }[] = [];
    for (const module of modules) {
      for (const test of module.children.allTests("skipped")) {
        const result = test.result();
        skipped.push({ title: test.fullName, reason: (result.state === "skipped" && result.note) || "no reason given" });
      }
    }
    for (const { title, reason } of skipped) console.log(`skipped: ${title}: ${reason}`);
    const refused = skipped.filter(({ title }) => allowed[title] === undefined);
    if (process.env.CI === "true" && refused.length > 0) {
      console.error(`${refused.length} tests were skipped that test/setup/allowed-skips.json does not list`);
      process.exitCode = 1;
    }
  }
}
