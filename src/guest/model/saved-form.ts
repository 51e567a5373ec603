import { createHash, timingSafeEqual } from "node:crypto";
import * as v from "valibot";
import { type SavedGuest, savedGuest } from "./saved-guest.ts";

/**
 * The bytes of a saved model guest: a header and JSON. They may come from anywhere, so the header says how much there is and what it sums up
 * to, and what does not fit is refused as a whole.
 */
/** Why a guest cannot be saved or what was saved cannot be restored; nothing has changed. */
export class SavedGuestError extends Error {
  readonly code = "refused";
}

/** Big-endian. */
const layout = { magic: 0, version: 4, bodyBytes: 8, digest: 12, body: 44 } as const;
/** `AdMG`. */
const magic = 0x41644d47;
const version = 1;
/** A stream without end would fill the memory, and reading it would hold up the host. There is room for 30,000 queues. */
export const mostSavedBytes = 8 * 1024 * 1024;
/** A saved guest has half as much; brackets in brackets take JSON.parse seconds. */
const deepestNesting = 16;

export function encodeSavedGuest(saved: SavedGuest): Buffer {
  const body = Buffer.from(JSON.stringify(saved));
  if (layout.body + body.length > mostSavedBytes) throw new SavedGuestError(`a guest's saved state has at most ${mostSavedBytes} bytes`);
  const bytes = Buffer.alloc(layout.body + body.length);
  bytes.writeUInt32BE(magic, layout.magic);
  bytes.writeUInt32BE(version, layout.version);
  bytes.writeUInt32BE(body.length, layout.bodyBytes);
  bytes.set(digestOf(body), layout.digest);
  bytes.set(body, layout.body);
  return bytes;
}

/** SavedGuestError. */
export function decodeSavedGuest(bytes: Buffer): SavedGuest {
  if (bytes.length < layout.body) throw new SavedGuestError(`this is no saved guest: ${bytes.length} bytes, its header has ${layout.body}`);
  if (bytes.readUInt32BE(layout.magic) !== magic) throw new SavedGuestError("this is no saved guest: its first bytes are others");
  const found = bytes.readUInt32BE(layout.version);
  if (found !== version) throw new SavedGuestError(`this guest was saved in version ${found}; only version ${version} is known here`);
  const body = bytes.subarray(layout.body);
  const announced = bytes.readUInt32BE(layout.bodyBytes);
  if (announced !== body.length) throw new SavedGuestError(`the saved guest is damaged: ${body.length} bytes where it has ${announced}`);
  if (!timingSafeEqual(digestOf(body), bytes.subarray(layout.digest, layout.body)))
    throw new SavedGuestError("the saved guest is damaged: its checksum does not fit");
  const parsed = v.safeParse(savedGuest, jsonOf(body.toString()));
  if (!parsed.success) throw new SavedGuestError(`the saved guest is damaged: ${issueText(parsed.issues[0])}`);
  return parsed.output;
}

const digestOf = (body: Buffer): Buffer => createHash("sha256").update(body).digest();

function jsonOf(text: string): unknown {
  try {
    if (nestingOf(text) <= deepestNesting) return JSON.parse(text);
  } catch {}
  throw new SavedGuestError("the saved guest is damaged: it is no JSON of ours");
}

/** How deep brackets are in brackets, outside of strings; where that is too deep it does not look further. */
function nestingOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let isString = false;
  for (let index = 0; index < text.length && deepest <= deepestNesting; index++) {
    const letter = text[index];
    if (letter === '"') isString = !isString;
    else if (isString) index += Number(letter === "\\");
    else if (letter === "[" || letter === "{") deepest = Math.max(deepest, ++depth);
    else if (letter === "]" || letter === "}") depth--;
  }
  return deepest;
}

function issueText({ path, message }: v.BaseIssue<unknown>): string {
  return `${path?.map(({ key }) => String(key)).join(".") ?? "all of it"}: ${message}`;
}
