import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type GenerationName, generationNames } from "../../src/linux/generation.ts";
import { TestHost } from "../support/test-host.ts";
import { Administrator } from "./administrator.ts";
import { expand, parseSteps } from "./steps.ts";

/** What the documents tell an administrator to type, command by command, and what they show. Files are named by document and chapter. */
const folder = new URL("steps/", import.meta.url);

describe.each(readdirSync(folder).sort())("%s", (name) => {
  const file = parseSteps(readFileSync(new URL(name, folder), "utf8"));

  test("names kernels that are imitated", () => {
    expect(file.kernels.length).toBeGreaterThan(0);
    expect(file.kernels.filter((kernel) => !(generationNames as readonly string[]).includes(kernel))).toEqual([]);
  });

  test.each(file.kernels)("each command does on Linux %s what the document says", (kernel) => {
    const host = new TestHost({
      kernel: kernel as GenerationName,
      cmdline: file.commandLine,
      adapters: file.adapters,
      usage: file.usage,
      control: file.control,
    });
    const administrator = new Administrator(host);
    for (const { line, kind, text, output, errno } of file.steps) {
      const printed = kind === "command" ? administrator.type(text) : administrator.act(text);
      expect({ line, text, ...printed }).toEqual({ line, text, output: [...output].map(expand), errno });
    }
  });
});
