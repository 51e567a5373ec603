import { errnoText } from "../sysfs/errno-text.ts";

/** Why a call of the system failed, without the path that Node's own message has in it: `No such file or directory (ENOENT)`. */
export function systemErrorText(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const text = code === undefined ? undefined : errnoText(code);
  return text === undefined ? message : `${text} (${code})`;
}
