import { serveWork } from "./serve-work.ts";

/** A worker of the toy model: squares a number, and ends without a word at a negative one. */
serveWork((value: number) => (value < 0 ? process.exit() : value * value));
