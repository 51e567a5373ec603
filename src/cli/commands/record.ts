import { recordHost } from "../../host/record.ts";
import { type Command, exitStatus } from "../command.ts";

export const record: Command = {
  name: "record",
  summary: "print what this machine's own /sys shows of AP, as a file that `up` takes",
  arguments: [],
  options: [
    { flags: "--mask-secrets", description: "mask serial numbers and the patterns of master keys" },
    { flags: "--name <name>", description: "what the file calls the host; the machine's name without it" },
  ],
  examples: ["adjunct record --mask-secrets > lpar1.yaml", "adjunct exec lpar1 -- adjunct record > copy.yaml"],
  async run({ options, wantsJson, output }) {
    const recording = recordHost({
      sysfs: process.env.SYSFS_ROOT ?? "/sys",
      masksSecrets: options.maskSecrets === true,
      name: typeof options.name === "string" ? options.name : undefined,
    });
    output.print(wantsJson ? JSON.stringify(recording.content, null, 2) : recording.text.trimEnd());
    return exitStatus.done;
  },
};
