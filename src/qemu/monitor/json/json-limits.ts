/** What one request may cost. QEMU has the same three limits with the same texts; its first two are sixteen times larger. */

/** Bytes of one request's tokens: stops a client that sends one endless string to fill the memory of all emulators of this process. */
export const MAX_TOKEN_BYTES = 4 << 20;

/** Tokens of one request: stops the same with a list of empty lists, whose tokens cost far more memory than their bytes. */
export const MAX_TOKEN_COUNT = 128 << 10;

/** Open brackets and braces: the parser calls itself once for each, this keeps it on its stack. As in QEMU. */
export const MAX_NESTING = 1024;

/** Bytes of the input that an error quotes: stops an answer that is larger than the request. QEMU has it for keywords. */
export const MAX_QUOTED_BYTES = 1023;
