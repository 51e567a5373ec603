import { readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { needsMount, projectRoot, useSandbox } from "../cli/sandbox.ts";

/** The job of the README's section "In your CI": what it types after the installation. */
needsMount();
const sandbox = useSandbox();

interface Job {
  readonly jobs: Readonly<Record<string, { readonly steps: readonly { readonly run?: string }[] }>>;
}

test("every command of the README's job ends with 0", async () => {
  const [, text = ""] = /<!-- examples\/ci -->\n```yaml\n([\s\S]*?)```/.exec(readFileSync(join(projectRoot, "README.md"), "utf8")) ?? [];
  const steps = (parse(text) as Job).jobs["vfio-ap"]?.steps ?? [];
  const commands = steps.flatMap(({ run }) => (run?.startsWith("adjunct/bin/adjunct ") ? [run] : []));
  expect(commands.map((command) => command.split(" ")[1])).toEqual(["doctor", "up", "exec", "down"]);
  symlinkSync(projectRoot, join(sandbox.current.folder, "adjunct"));
  for (const command of commands) {
    const { status, stdout, stderr } = await sandbox.current.run("sh", ["-c", `cd ${sandbox.current.folder} && ${command}`]);
    expect({ command, status, stderr: status === 0 ? "" : stderr }).toEqual({ command, status: 0, stderr: "" });
    if (command.includes("exec")) expect(stdout).toMatch(/^passed$/m);
  }
});
