import { Refusal } from "../../host/control-protocol.ts";
import { NothingToRecord, recordHost } from "../../host/record/record-host.ts";
import { recordingText } from "../../host/record/recording-text.ts";
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
    try {
      const recording = recordHost({
        sysfs: process.env.SYSFS_ROOT ?? "/sys",
        masksSecrets: options.maskSecrets === true,
        name: typeof options.name === "string" ? options.name : undefined,
      });
      output.print(wantsJson ? JSON.stringify(recording, null, 2) : recordingText(recording).trimEnd());
      return exitStatus.done;
    } catch (error) {
      throw error instanceof NothingToRecord ? new Refusal(error.message) : error;
    }
  },
};
