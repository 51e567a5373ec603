import type { RecordedAdapter, RecordedMdev, Recording } from "./recording.ts";

/** A recording as a configuration file, byte for byte what scripts/record-ap.sh prints. */
export function recordingText(recording: Recording): string {
  const { maxAdapter, maxDomain, apmask, aqmask, attributes, mdevs } = recording;
  const lines = [
    `# What /sys of a Linux ${recording.release} showed of AP.`,
    `name: ${quoted(recording.name)}`,
    `kernel: ${quoted(recording.kernel)}`,
    `cmdline: ${quoted(recording.cmdline)}`,
    `modules: [${recording.modules.join(", ")}]`,
    "machine:",
    `  facilities: [${recording.facilities.join(", ")}]`,
    ...(maxAdapter === undefined ? [] : [`  max-adapter: ${maxAdapter}`]),
    ...(maxDomain === undefined ? [] : [`  max-domain: ${maxDomain}`]),
    ...section("  adapters:", recording.adapters.map(adapterLine)),
    `  usage-domains: [${recording.usageDomains.join(", ")}]`,
    `  control-domains: [${recording.controlDomains.join(", ")}]`,
    ...(apmask === undefined ? [] : [`apmask: ${quoted(apmask)}`]),
    ...(aqmask === undefined ? [] : [`aqmask: ${quoted(aqmask)}`]),
    ...section(
      "attributes:",
      attributes.map(
        ({ path, texts }) => `  ${quoted(path)}: ${texts.length === 1 ? quoted(texts[0] ?? "") : `[${texts.map(quoted).join(", ")}]`}`,
      ),
    ),
    ...section("mdevs:", mdevs.map(mdevLine)),
    ...section("guests:", guestLines(mdevs)),
  ];
  return `${lines.join("\n")}\n`;
}

const section = (title: string, lines: readonly string[]): string[] => (lines.length > 0 ? [title, ...lines] : []);

function adapterLine(adapter: RecordedAdapter): string {
  const { id, type, rawType, functions, depth, messageLimit, isConfigured, isCheckstopped } = adapter;
  const words = [
    `type: ${type}`,
    ...(rawType === undefined ? [] : [`raw-type: ${rawType}`]),
    ...(functions === undefined ? [] : [`functions: ${functions}`]),
    ...(depth === undefined ? [] : [`depth: ${depth}`]),
    ...(messageLimit === undefined ? [] : [`message-limit: ${messageLimit}`]),
    `configured: ${isConfigured}`,
    `checkstop: ${isCheckstopped}`,
  ];
  return `    ${id}: { ${words.join(", ")} }`;
}

const mdevLine = ({ uuid, adapters, domains, controlDomains }: RecordedMdev): string =>
  `  ${uuid}: { adapters: [${adapters.join(", ")}], domains: [${domains.join(", ")}], control-domains: [${controlDomains.join(", ")}] }`;

const guestLines = (mdevs: readonly RecordedMdev[]): string[] =>
  mdevs.flatMap(({ uuid, isInUse }, index) => (isInUse ? [`  guest${index + 1}: { mdev: ${uuid} }`] : []));

const quoted = (text: string): string => `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;
