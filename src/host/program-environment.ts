import { places } from "./places.ts";

export interface ProgramPlace {
  readonly host: string;
  /** Undefined: on the host itself. */
  readonly guest: string | undefined;
  /** The folder of the programs that act on that Linux. */
  readonly programs: string;
}

/** The environment of programs that run in a host's or guest's namespaces. */
export function programEnvironment({ host, guest, programs }: ProgramPlace): NodeJS.ProcessEnv {
  const { runFolder, stateFolder } = places();
  return {
    ...process.env,
    PATH: `${programs}:${process.env.PATH ?? "/usr/sbin:/usr/bin:/sbin:/bin"}`,
    // libudev takes only a real sysfs otherwise.
    SYSTEMD_DEVICE_VERIFY_SYSFS: "0",
    ADJUNCT_HOST: host,
    ...(guest !== undefined && { ADJUNCT_GUEST: guest }),
    ADJUNCT_RUN_DIR: runFolder,
    ADJUNCT_STATE_DIR: stateFolder,
  };
}
