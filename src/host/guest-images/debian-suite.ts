import { basename, join } from "node:path";
import { Refusal } from "../control-protocol.ts";
import { absentPackage } from "../tools/absent-package.ts";
import { writeSourcesOf } from "../tools/apt-sources.ts";
import { PrivateApt } from "../tools/private-apt.ts";
import { makeMergedFolders, unpack } from "../tools/unpack-package.ts";
import { kernelPackage, programPackages } from "./guest-image-recipes.ts";

/** The archive's packages of one Debian for s390x that a guest image is made of; its lists are fetched into `folder` when it is made. */
export class DebianSuite {
  readonly #apt: PrivateApt;
  /** The last is the one that the suite's kernel package names. */
  readonly kernelPackages: readonly string[];
  #files: readonly string[] = [];

  constructor(suite: string, folder: string) {
    const sources = join(folder, "sources");
    writeSourcesOf(suite, sources);
    this.#apt = new PrivateApt(join(folder, "apt"), { sources, architectures: ["s390x"] });
    const complaints = this.#apt.update();
    const candidates = this.#apt.candidates([kernelPackage, ...programPackages]);
    const missing = [kernelPackage, ...programPackages].find((name) => candidates[name] === undefined);
    if (missing !== undefined)
      throw new Refusal(absentPackage(missing, { suite, complaints, retry, remedy: "adjunct guest fetch debian-12" }));
    this.kernelPackages = this.#findKernel();
  }

  /** Whether a download would bring the same; the kernel's name has its version. */
  hasVersions(versions: Readonly<Record<string, string>>): boolean {
    const names = Object.keys(versions);
    const candidates = this.#apt.candidates(names);
    return this.kernelPackages.every((name) => names.includes(name)) && names.every((name) => candidates[name] === versions[name]);
  }

  /** Returns versions by names. */
  download(): Record<string, string> {
    for (const name of this.kernelPackages) this.#apt.download(name);
    this.#files = this.#apt.downloadWithDependencies(programPackages).sort();
    return Object.fromEntries(this.#files.map(nameAndVersion));
  }

  unpack(root: string): void {
    makeMergedFolders(root);
    for (const file of this.#files) if (!isLeftOut(file)) unpack(file, root, leftOut);
  }

  /** Without what would install it, such as a builder of initramfs. Since 7.2 its file and its modules have packages of their own. */
  #findKernel(): string[] {
    const image = this.#apt.dependencies(kernelPackage).find((name) => name.startsWith("linux-image-"));
    if (image === undefined) throw new Refusal(`${kernelPackage} names no kernel`);
    const parts = this.#apt.dependencies(image).filter((name) => /^linux-(?:binary|modules)-/.test(name));
    return [...parts, image];
  }
}

const retry = "adjunct guest fetch";

/** Packages are NAME_VERSION_ARCHITECTURE.deb, a colon as %3a. */
function nameAndVersion(file: string): [name: string, version: string] {
  const [name = "", version = ""] = basename(file).split("_");
  return [name, decodeURIComponent(version)];
}

/** Only scripts need them that are not taken. */
const isLeftOut = (file: string): boolean => /^(?:perl|libperl|gawk|libc-bin)/.test(basename(file));

const leftOut = ["./usr/share/*", "./usr/lib/s390x-linux-gnu/gconv/*"];
