import { s390xPrograms } from "./s390x-programs.ts";
import { installedSuites, toolsPlaces } from "./tools-folder.ts";

/** What this machine has of the real tools, for `adjunct doctor`. */
export interface ToolsFinding {
  readonly isPresent: boolean;
  readonly meaning: string;
  readonly remedy: string;
}

/** `isProgram`: whether the machine has a program of that name. */
export function toolsFinding(isProgram: (name: string) => boolean, tools = toolsPlaces()): ToolsFinding {
  const current = installedSuites(tools).find(({ isCurrent }) => isCurrent);
  const missing = ["apt-get", "apt-cache", "dpkg", "dpkg-deb", "tar", "flock"].filter((name) => !isProgram(name));
  const programs = s390xPrograms.join(", ");
  return {
    isPresent: current !== undefined,
    meaning: current ? `${programs} of s390-tools ${current.version} (${current.suite})` : `${programs} in a host`,
    remedy:
      missing.length === 0
        ? "adjunct tools install"
        : `adjunct tools install, which needs ${missing.join(", ")}: use a Debian or a container of one`,
  };
}
