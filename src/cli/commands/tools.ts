import { installTools } from "../../host/tools/install-tools.ts";
import { type InstalledSuite, installedSuites, suitePattern } from "../../host/tools/tools-folder.ts";
import { type Command, exitStatus, type Invocation, printResult, textOption, UsageError } from "../command.ts";

export const tools: Command = {
  name: "tools",
  summary: "install the real lszcrypt, chzcrypt, zcryptctl, chzdev and lszdev for the programs of hosts, or list what is installed",
  arguments: [{ name: "ACTION", description: "install or list" }],
  options: [{ flags: "--suite <suite>", description: "a Debian such as trixie; without it the machine's own" }],
  examples: ["adjunct tools install", "adjunct tools install --suite trixie", "adjunct tools list"],
  async run(invocation) {
    const [action = ""] = invocation.arguments;
    if (action === "install") return install(invocation);
    if (action === "list") return list(invocation);
    throw new UsageError(`tools install or tools list, not tools ${action}`);
  },
};

function install(invocation: Invocation): number {
  const suite = textOption(invocation, "suite");
  if (suite !== undefined && (!suitePattern.test(suite) || suite === "current")) {
    throw new UsageError(`--suite is the name of a Debian such as bookworm, not ${suite}`);
  }
  const installed = installTools(suite, invocation.output.note);
  printResult(invocation, installed, () => [`${line(installed)}, in use`]);
  return exitStatus.done;
}

function list(invocation: Invocation): number {
  const suites = installedSuites();
  printResult(invocation, suites, () =>
    suites.length === 0 ? ["none: adjunct tools install"] : suites.map((suite) => `${line(suite)}${suite.isCurrent ? ", in use" : ""}`),
  );
  return exitStatus.done;
}

const line = ({ suite, version, emulator }: InstalledSuite): string => `${suite}: s390-tools ${version}, emulator: ${emulator}`;
