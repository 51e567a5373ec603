import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { launcher, type Outcome, useSandbox } from "../cli/sandbox.ts";

/** adjunct guest, with a folder of images of its own: this is where an image is really built from the archive. */
const sandbox = useSandbox();
const images = (): string => join(sandbox.current.folder, "images");
const fetch = (...words: string[]): Promise<Outcome> => sandbox.current.adjunct("guest", "fetch", ...words);

beforeEach(() => {
  sandbox.current.environment.ADJUNCT_GUEST_IMAGES_DIR = images();
});

describe("guest fetch", () => {
  test("builds an image from the archive once, however often and by how many it is asked for", async () => {
    const [one, other] = await Promise.all([fetch("--json"), fetch("debian-12", "--json")]);
    expect([one.status, other.status]).toEqual([0, 0]);
    expect(`${one.stderr}${other.stderr}`.match(/^building the image$/gm)).toHaveLength(1);
    expect(other.stdout).toBe(one.stdout);
    const image = JSON.parse(one.stdout);
    expect(image).toMatchObject({
      name: "debian-12",
      kernel: join(images(), "debian-12/kernel"),
      initrd: join(images(), "debian-12/initrd"),
      kernelVersion: expect.stringMatching(/^6\.1\.0-\d+-s390x$/),
      packages: { "s390-tools": expect.stringMatching(/^2\./), [`linux-image-${image.kernelVersion}`]: expect.stringMatching(/^6\.1\./) },
      isOutdated: false,
    });
    const tools: string = image.packages["s390-tools"];
    expect(readdirSync(images()).sort()).toEqual([".lock", "debian-12"]);

    const again = await fetch();
    expect(again.stderr).toBe("");
    expect(again.stdout).toBe(
      `debian-12: Linux ${image.kernelVersion}, s390-tools ${tools}\n  kernel ${image.kernel}\n  initrd ${image.initrd}\n`,
    );
    const update = await fetch("--update");
    expect(update).toMatchObject({ status: 0, stderr: "fetching the lists of bookworm for s390x\n", stdout: again.stdout });

    // Another version of a package, and another Adjunct: both build anew, and the same packages give the same bytes.
    const description = join(images(), "debian-12/image.json");
    const initrd = readFileSync(image.initrd);
    const change = (from: string, to: string): void => writeFileSync(description, readFileSync(description, "utf8").replace(from, to));
    change(`"s390-tools": "${tools}"`, '"s390-tools": "1.0"');
    expect((await fetch("--update")).stderr).toMatch(/^building the image$/m);
    expect(readFileSync(image.initrd).equals(initrd)).toBe(true);
    change('"sources": "', '"sources": "0');
    expect((await sandbox.current.adjunct("guest", "list")).stdout).toMatch(/, outdated: adjunct guest fetch debian-12\n$/);
    expect((await fetch()).stderr).toMatch(/^building the image$/m);
    expect(readFileSync(image.initrd).equals(initrd)).toBe(true);
  });

  test("without a network it says what to look at, and leaves nothing", async () => {
    const words = ["--net", "--map-root-user", process.execPath, launcher, "guest", "fetch", "debian-13"];
    const { status, stdout, stderr } = await sandbox.current.run("unshare", words);
    expect(status).toBe(1);
    expect(stdout).toBe("");
    expect(stderr).toMatch(
      /^adjunct: the package lists of trixie cannot be fetched, .*check the network and apt's proxy, then adjunct guest fetch$/m,
    );
    expect(readdirSync(images())).toEqual([".lock"]);
  });

  test("what is no image is wrong usage, and list names what is there", async () => {
    for (const words of [
      ["fetch", "debian-11"],
      ["fetch", "../elsewhere"],
      ["fetch", "debian-12", "debian-13"],
      ["remove"],
      ["list", "debian-12"],
    ]) {
      expect((await sandbox.current.adjunct("guest", ...words)).status).toBe(2);
    }
    expect((await sandbox.current.adjunct("guest", "list")).stdout).toBe("none: adjunct guest fetch\n");
    expect((await sandbox.current.adjunct("guest", "list", "--json")).stdout).toBe("[]\n");
    expect(existsSync(images())).toBe(false);
  });
});
