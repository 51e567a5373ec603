import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, expect, test } from "vitest";
import { elfFile } from "../../../test/support/elf-file.ts";
import { kernelModules, modulesDep } from "./kernel-modules.ts";

const folder = mkdtempSync(join(tmpdir(), "adjunct-modules-"));
afterAll(() => rmSync(folder, { recursive: true }));

function put(path: string, depends: string): Buffer {
  const content = elfFile({ ".modinfo": Buffer.from(`license=GPL\0depends=${depends}\0name=x\0`) });
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), path.endsWith(".gz") ? gzipSync(content) : content);
  return content;
}

const cex4 = put("kernel/s390/zcrypt_cex4.ko.gz", "zcrypt");
put("kernel/s390/zcrypt.ko", "");
put("kernel/net/virtio_net.ko", "net_failover,failover");
put("kernel/net/net_failover.ko", "failover");
put("kernel/core/failover.ko", "");
put("kernel/char/virtio-rng.ko", "");
writeFileSync(join(folder, "modules.order"), "");

test("the modules of a kernel come with those they depend on, decompressed, by path", () => {
  const modules = kernelModules(folder, ["zcrypt_cex4", "virtio_net"]);
  expect(modules.map(({ path }) => path)).toEqual([
    "kernel/core/failover.ko",
    "kernel/net/net_failover.ko",
    "kernel/net/virtio_net.ko",
    "kernel/s390/zcrypt.ko",
    "kernel/s390/zcrypt_cex4.ko",
  ]);
  expect(modules[4]?.content.equals(cex4)).toBe(true);
});

test("a module is found by either spelling, and one that is built in is left out", () => {
  expect(kernelModules(folder, ["virtio_rng", "virtio_console"]).map(({ name }) => name)).toEqual(["virtio_rng"]);
});

test("modules.dep has each with all that must be loaded before, the first to load last", () => {
  expect(modulesDep(kernelModules(folder, ["zcrypt_cex4", "virtio_net"]))).toBe(
    [
      "kernel/core/failover.ko:",
      "kernel/net/net_failover.ko: kernel/core/failover.ko",
      "kernel/net/virtio_net.ko: kernel/net/net_failover.ko kernel/core/failover.ko",
      "kernel/s390/zcrypt.ko:",
      "kernel/s390/zcrypt_cex4.ko: kernel/s390/zcrypt.ko",
      "",
    ].join("\n"),
  );
});

test("a module that cannot be unpacked is refused by its path", () => {
  const broken = join(folder, "kernel/broken.ko.gz");
  writeFileSync(broken, "no gzip");
  expect(spawnSync("gzip", ["--version"]).status).toBe(0);
  expect(() => kernelModules(folder, ["broken"])).toThrow(`${broken} cannot be unpacked`);
});
