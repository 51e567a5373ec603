import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    exclude: ["test/long/**", "node_modules/**", "dist/**"],
    globalSetup: ["test/setup/build.ts"],
    reporters: ["default", "./test/setup/skip-reporter.ts"],
    testTimeout: 300_000,
    hookTimeout: 120_000,
    // Two cores: mounts and hosts of several files at once would only slow each other down.
    maxWorkers: 2,
  },
});
