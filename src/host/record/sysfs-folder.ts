import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { basename, join } from "node:path";

/** A folder of some Linux's /sys, read as far as it can be: what is missing or refused is undefined. */
export class SysfsFolder {
  constructor(readonly path: string) {}

  folder(name: string): SysfsFolder {
    return new SysfsFolder(join(this.path, name));
  }

  /** The text of an attribute. */
  text(name: string): string | undefined {
    try {
      return readFileSync(join(this.path, name), "latin1");
    } catch {
      return undefined;
    }
  }

  /** The first line of an attribute, without blanks around it. */
  line(name: string): string | undefined {
    return this.text(name)?.split("\n")[0]?.trim();
  }

  number(name: string): number | undefined {
    const line = this.line(name);
    return line === undefined || line === "" || Number.isNaN(Number(line)) ? undefined : Number(line);
  }

  has(name: string): boolean {
    return this.names.includes(name);
  }

  /** In order of their bytes; empty for a folder that is not there. */
  get names(): string[] {
    try {
      return readdirSync(this.path).sort();
    } catch {
      return [];
    }
  }

  /** The last part of what a link points to. */
  target(name: string): string | undefined {
    try {
      return basename(readlinkSync(join(this.path, name)));
    } catch {
      return undefined;
    }
  }
}
