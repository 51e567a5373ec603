import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of this package: the same from `src` and from `dist`. */
export const packageRoot = join(dirname(fileURLToPath(import.meta.url)), "../..");

export const launcher = join(packageRoot, "bin/adjunct");
