/** An argument in QEMU's own syntax: `first,key=value,…`, a doubled comma stands for one. */
export interface KeyValues {
  /** The last value of a key holds. */
  readonly values: ReadonlyMap<string, string>;
  /** `help` or `?` stands among them. */
  readonly asksForHelp: boolean;
  /** Keys without a value, as they were written: QEMU warns of these. */
  readonly flags: readonly { readonly written: string; readonly key: string; readonly value: "on" | "off" }[];
}

/** The first piece without `=` is the value of `impliedKey`; the others are switches, `no` in front turns them off. */
export function keyValues(text: string, impliedKey?: string): KeyValues {
  const values = new Map<string, string>();
  const flags: { written: string; key: string; value: "on" | "off" }[] = [];
  let asksForHelp = false;
  pieces(text).forEach(({ key, value }, index) => {
    if (value !== undefined) {
      values.set(key, value);
    } else if (index === 0 && impliedKey !== undefined) {
      values.set(impliedKey, key);
    } else if (key === "help" || key === "?") {
      asksForHelp = true;
    } else {
      const flag = key.startsWith("no")
        ? { written: key, key: key.slice("no".length), value: "off" as const }
        : { written: key, key, value: "on" as const };
      values.set(flag.key, flag.value);
      flags.push(flag);
    }
  });
  return { values, asksForHelp, flags };
}

/** What QEMU says of switches that are written short; the second line is a hint. */
export const flagWarnings = (place: string, { flags }: Pick<KeyValues, "flags">): string[] =>
  flags.map(({ written, key, value }) => {
    const better = key === "delay" ? `nodelay=${value === "on" ? "off" : "on"}` : `${key}=${value}`;
    return `${place}: warning: short-form boolean option '${written}' deprecated\nPlease use ${better} instead`;
  });

function pieces(text: string): { readonly key: string; readonly value?: string }[] {
  if (text === "") return [];
  const found: { key: string; value?: string }[] = [];
  for (let rest: string | undefined = text; rest !== undefined; ) {
    const end = separator(rest);
    const piece = (end < 0 ? rest : rest.slice(0, end)).replaceAll(",,", ",");
    const equals = piece.indexOf("=");
    found.push(equals < 0 ? { key: piece } : { key: piece.slice(0, equals), value: piece.slice(equals + 1) });
    rest = end < 0 || end === rest.length - 1 ? undefined : rest.slice(end + 1);
  }
  return found;
}

/** The first comma that is not doubled; -1 where there is none. */
function separator(text: string): number {
  for (let at = text.indexOf(","); at >= 0; at = text.indexOf(",", at + 2)) if (text[at + 1] !== ",") return at;
  return -1;
}
