import type { ModelGuest } from "../guest/model/model-guest.ts";
import { mostSavedBytes, SavedGuestError } from "../guest/model/saved-form.ts";
import { fail } from "../sysfs/errno.ts";
import { Refusal } from "./control-protocol.ts";
import type { Guest } from "./host.ts";

/** A model guest's Linux as base64, whole when it leaves and in pieces when it comes. Refusal: why not. ENOTTY: the guest is no model guest. */
export const saveGuest = (guest: Guest): string => refusing(guest, (model) => model.save().toString("base64"));

/** After the last piece the guest is what was saved, or waits as before. */
export function restoreGuest(guest: Guest, { bytes, isLast }: { readonly bytes: string; readonly isLast: boolean }): void {
  refusing(guest, (model) => {
    const piece = Buffer.from(bytes, "base64");
    const before = arriving.get(guest) ?? { pieces: [], length: 0 };
    const now = { pieces: before.pieces, length: before.length + piece.length };
    now.pieces.push(piece);
    arriving.set(guest, now);
    if (!isLast && now.length <= mostSavedBytes) return;
    arriving.delete(guest);
    if (now.length > mostSavedBytes) throw new SavedGuestError(`a saved guest has at most ${mostSavedBytes} bytes`);
    model.restore(Buffer.concat(now.pieces));
  });
}

const arriving = new WeakMap<Guest, { readonly pieces: Buffer[]; readonly length: number }>();

function refusing<Result>(guest: Guest, act: (model: ModelGuest) => Result): Result {
  try {
    return act(guest.model ?? fail("ENOTTY"));
  } catch (error) {
    throw error instanceof SavedGuestError ? new Refusal(`guest ${guest.name}: ${error.message}`) : error;
  }
}
