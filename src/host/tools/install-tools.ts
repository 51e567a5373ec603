import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Refusal } from "../control-protocol.ts";
import { absentPackage } from "./absent-package.ts";
import { machineCodename, writeSourcesOf } from "./apt-sources.ts";
import { provideEmulator } from "./emulator.ts";
import { removeLeftovers } from "./leftovers.ts";
import { PrivateApt, runApt } from "./private-apt.ts";
import { descriptionText, type InstalledSuite, installedSuites, makeCurrent, type ToolsPlaces, toolsPlaces } from "./tools-folder.ts";
import { takeTurn } from "./turn.ts";
import { unpackRoot } from "./unpack-package.ts";

/**
 * Fetches Debian's s390x packages of a suite, unless they are there, and makes them what programs use. Without a suite: the machine's own, or the
 * first that has s390x. Several at once take turns. Blocks; throws a Refusal.
 */
export function installTools(suite: string | undefined, note: (text: string) => void, tools = toolsPlaces()): InstalledSuite {
  mkdirSync(tools.folder, { recursive: true, mode: 0o700 });
  const endTurn = takeTurn(tools.lock, () => note("waiting for another installation"));
  try {
    removeLeftovers(tools.newPrefix);
    const wanted = suite === undefined ? defaultSuites() : [suite];
    const isThere = wanted.find((name) => installedSuites(tools).some((installed) => installed.suite === name));
    const name = isThere ?? fetchFirst(wanted, note, tools);
    makeCurrent(name, tools);
    return installedSuites(tools).find((installed) => installed.suite === name)!;
  } finally {
    endTurn();
  }
}

const mainPackage = "s390-tools";

const defaultSuites = (): string[] => [...new Set([machineCodename(), "bookworm", "trixie"])].filter((name) => name !== "");

function fetchFirst(suites: readonly string[], note: (text: string) => void, tools: ToolsPlaces): string {
  let reason = "";
  for (const suite of suites) {
    const folder = mkdtempSync(tools.newPrefix);
    try {
      const complaint = fetchSuite(suite, folder, note, tools);
      if (complaint === undefined) return suite;
      reason ||= complaint;
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  throw new Refusal(reason);
}

/** Why the suite has none; undefined when it is in its place. */
function fetchSuite(suite: string, folder: string, note: (text: string) => void, tools: ToolsPlaces): string | undefined {
  const architecture = runApt("dpkg", ["--print-architecture"]).stdout.trim();
  const sources = join(folder, "sources");
  writeSourcesOf(suite, sources);
  const apt = new PrivateApt(join(folder, "apt"), { sources, architectures: [...new Set(["s390x", architecture])] });
  note(`fetching the lists of ${suite} for s390x`);
  const complaints = apt.update();
  const version = apt.candidate(mainPackage);
  if (version === undefined) {
    return absentPackage(mainPackage, {
      suite,
      complaints,
      retry: "adjunct tools install",
      remedy: "adjunct tools install --suite bookworm or trixie",
    });
  }
  note(`fetching ${mainPackage} ${version} and what it needs`);
  const files = apt.downloadWithDependencies([mainPackage]);
  const root = join(folder, "root");
  unpackRoot(root, files);
  note("fetching the emulator");
  const emulator = provideEmulator(join(root, "qemu-s390x"), { apt, architecture, folder, tools });
  const [file, text] = descriptionText({ version, packages: files.length, emulator });
  writeFileSync(join(root, file), text);
  rmSync(tools.suite(suite), { recursive: true, force: true });
  renameSync(root, tools.suite(suite));
  return undefined;
}
