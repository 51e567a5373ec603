import * as v from "valibot";

/** What a guest of a host can be called: its name is that of a folder. */
export const guestName = v.pipe(v.string(), v.regex(/^[\w+-][\w.+ -]{0,63}$/));
