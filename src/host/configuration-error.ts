/** A configuration with mistakes: one line each, `file:line:column: path: expected …, got …`. */
export class ConfigurationError extends Error {
  constructor(readonly lines: readonly string[]) {
    super(lines.join("\n"));
    this.name = "ConfigurationError";
  }
}
