import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Refusal } from "../control-protocol.ts";

/**
 * apt with lists, cache, status and sources in a folder of its own, so that the machine's stay as they are. Proxies, keys and pins are the
 * machine's. Nothing unauthenticated is taken, whatever the machine allows.
 */
export class PrivateApt {
  readonly #options: readonly string[];
  readonly #archives: string;

  /** `architectures`: the first is what packages are resolved for. The folder `sources` holds what apt reads. */
  constructor(folder: string, { sources, architectures }: { readonly sources: string; readonly architectures: readonly string[] }) {
    this.#archives = join(folder, "cache/archives");
    mkdirSync(join(this.#archives, "partial"), { recursive: true });
    mkdirSync(join(folder, "state/lists/partial"), { recursive: true });
    const status = join(folder, "state/status");
    writeFileSync(status, "");
    this.#options = Object.entries({
      "Dir::State": join(folder, "state"),
      "Dir::State::lists": join(folder, "state/lists"),
      "Dir::State::status": status,
      "Dir::Cache": join(folder, "cache"),
      "Dir::Cache::archives": this.#archives,
      "Dir::Etc::SourceList": "/dev/null",
      "Dir::Etc::SourceParts": sources,
      "APT::Architecture": architectures[0],
      "APT::Architectures": architectures.join(","),
      "APT::Install-Recommends": "false",
      "APT::Get::AllowUnauthenticated": "false",
      "Acquire::AllowInsecureRepositories": "false",
      "Acquire::AllowDowngradeToInsecureRepositories": "false",
      "Acquire::Languages": "none",
      "Acquire::Retries": "2",
      "Acquire::http::Timeout": "30",
      "Acquire::https::Timeout": "30",
      // apt's own user cannot enter a folder that belongs to one user alone.
      "APT::Sandbox::User": "",
    }).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
  }

  /** What apt complained about; lists that could not be had are no failure of apt. */
  update(): string {
    const { stderr } = this.#run("apt-get", ["update"]);
    return stderr;
  }

  /** The version that would be installed. */
  candidate(name: string): string | undefined {
    const { stdout } = this.#run("apt-cache", ["policy", name]);
    const version = /^ {2}Candidate: (.+)$/m.exec(stdout)?.[1];
    return version === "(none)" ? undefined : version;
  }

  /** Versions that would be installed, by name; without those that there are none of. */
  candidates(names: readonly string[]): Record<string, string> {
    const { stdout } = this.#run("apt-cache", ["policy", ...names]);
    const found = [...stdout.matchAll(/^(\S+):\n(?: {2}.*\n)*? {2}Candidate: (.+)$/gm)];
    return Object.fromEntries(
      found.flatMap(([, name = "", version = ""]) => (version === "(none)" ? [] : [[name.split(":")[0], version]])),
    );
  }

  /** The packages that one depends on directly. */
  dependencies(name: string): string[] {
    const { stdout } = this.#run("apt-cache", ["depends", "--important", name]);
    return [...stdout.matchAll(/^[ |] (?:Pre)?Depends: ([^<\s]+)$/gm)].map(([, dependency = ""]) => dependency);
  }

  /** Downloads packages and, for the first architecture, all they depend on; returns the files. */
  downloadWithDependencies(names: readonly string[]): string[] {
    this.#mustRun(["--yes", "--download-only", "install", ...names]);
    return this.#files(() => true);
  }

  /** Downloads one package alone. */
  download(name: string): string {
    const { status, stderr } = this.#run("apt-get", ["download", name], this.#archives);
    const [file] = this.#files((candidate) => candidate.startsWith(`${name.split(":")[0]}_`));
    if (status !== 0 || file === undefined) throw new Refusal(`${name} cannot be downloaded: ${firstComplaint(stderr)}; ${remedy}`);
    return file;
  }

  #files(isWanted: (file: string) => boolean): string[] {
    const files = readdirSync(this.#archives).filter((file) => file.endsWith(".deb") && isWanted(file));
    return files.map((file) => join(this.#archives, file));
  }

  #mustRun(words: readonly string[]): void {
    const { status, stderr } = this.#run("apt-get", words);
    if (status !== 0) throw new Refusal(`the packages cannot be downloaded: ${firstComplaint(stderr)}; ${remedy}`);
  }

  #run(
    program: string,
    words: readonly string[],
    cwd = "/",
  ): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
    return runApt(program, ["-q", ...this.#options, ...words], cwd);
  }
}

const remedy = "check the network, apt's proxy and the space on the disk, then try again";

/** In English and without a terminal: its answers are read by a program. */
export function runApt(
  program: string,
  words: readonly string[],
  cwd = "/",
): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  const env = { ...process.env, LC_ALL: "C", DEBIAN_FRONTEND: "noninteractive" };
  const { status, stdout, stderr, error } = spawnSync(program, words, { cwd, env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  if (error) throw new Refusal(`${program} does not run here: the tools are Debian's, so they need a Debian or a container of one`);
  return { status, stdout, stderr };
}

export const firstComplaint = (text: string): string => /^(?:E|W|Err): ?(.+)$/m.exec(text)?.[1] ?? "apt gave no reason";
