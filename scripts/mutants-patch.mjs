/**
 * Unified diffs of one file or several, applied strictly: the old lines of a hunk must be in the file exactly once, wherever that is.
 * Line numbers are not looked at, so a patch survives changes elsewhere in its file, and fails loudly when its place is gone.
 */

/** @param {string} patch */
export function parsePatch(patch) {
  /** @type {{ path: string, hunks: { before: string, after: string }[] }[]} */
  const files = [];
  for (const line of patch.split("\n")) {
    if (line.startsWith("--- ")) continue;
    if (line.startsWith("+++ ")) files.push({ path: line.replace(/^\+\+\+ b\//, "").trim(), hunks: [] });
    else if (line.startsWith("@@")) files.at(-1)?.hunks.push({ before: "", after: "" });
    else {
      const hunk = files.at(-1)?.hunks.at(-1);
      if (!hunk || line === "" || line.startsWith("\\")) continue;
      if (line[0] !== "+") hunk.before += `${line.slice(1)}\n`;
      if (line[0] !== "-") hunk.after += `${line.slice(1)}\n`;
    }
  }
  return files;
}

/**
 * The files that a patch changes, with their new texts. Throws an Error that says which hunk has no place or several.
 * @param {string} patch
 * @param {(path: string) => string} read
 */
export function applyPatch(patch, read) {
  const files = parsePatch(patch);
  if (files.length === 0 || files.some(({ hunks }) => hunks.length === 0)) throw new Error("is no unified diff");
  return files.map(({ path, hunks }) => {
    let text = read(path);
    for (const { before, after } of hunks) {
      const places = text.split(before).length - 1;
      if (places !== 1) throw new Error(`does not apply to ${path}: ${places} places for\n${before}`);
      text = text.replace(before, () => after);
    }
    return { path, text };
  });
}
