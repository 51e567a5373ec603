/** Why something is no JSON, in QEMU's words. */
export class JsonParseError extends Error {
  constructor(problem: string) {
    super(`JSON parse error, ${problem}`);
  }
}
