import { examineMachine } from "../../host/machine-examination.ts";
import { type Command, exitStatus, printResult } from "../command.ts";

export const doctor: Command = {
  name: "doctor",
  summary: "say what this machine can do for a host, what not, and the remedy",
  arguments: [],
  options: [],
  async run(invocation) {
    const findings = examineMachine();
    printResult(invocation, findings, () =>
      findings.flatMap(({ what, isPresent, isNeeded, meaning, remedy }) => [
        `${isPresent ? "ok     " : isNeeded ? "MISSING" : "without"}  ${what}: ${meaning}`,
        ...(isPresent || remedy === undefined ? [] : [`         ${remedy}`]),
      ]),
    );
    return findings.every(({ isPresent, isNeeded }) => isPresent || !isNeeded) ? exitStatus.done : exitStatus.refused;
  },
};
