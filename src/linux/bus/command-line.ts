/** Parameters of one module on a kernel command line: `ap.apmask=0xffff`; the last one of a name wins. */
export function moduleParameters(commandLine: string, module: string): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  for (const word of commandLine.split(/\s+/)) {
    const equals = word.indexOf("=");
    const [name, value] = equals < 0 ? [word, ""] : [word.slice(0, equals), word.slice(equals + 1)];
    const prefix = `${module}.`;
    // The kernel takes - and _ in a parameter's name for the same.
    if (name.startsWith(prefix)) parameters.set(name.slice(prefix.length).replaceAll("-", "_"), value.replace(/^"(.*)"$/, "$1"));
  }
  return parameters;
}
