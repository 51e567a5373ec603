import { expect, test } from "vitest";
import { entryLine, listedEntry } from "./listed-entry.ts";

test.each([
  ["card05 40755", { name: "card05", mode: "drwxr-xr-x" }, "drwxr-xr-x card05"],
  ["ap_max_domain_id 100444", { name: "ap_max_domain_id", mode: "-r--r--r--" }, "-r--r--r-- ap_max_domain_id"],
  ["bind 100200", { name: "bind", mode: "--w-------" }, "--w------- bind"],
  [
    "05.0004 120777 -> ../../../devices/ap/card05/05.0004",
    { name: "05.0004", mode: "lrwxrwxrwx", target: "../../../devices/ap/card05/05.0004" },
    "lrwxrwxrwx 05.0004 -> ../../../devices/ap/card05/05.0004",
  ],
])("%s is shown as ls -l shows it", (text, entry, line) => {
  expect(listedEntry(text)).toEqual(entry);
  expect(entryLine(listedEntry(text))).toBe(line);
});
