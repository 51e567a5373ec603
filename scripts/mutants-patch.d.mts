export interface PatchedFile {
  readonly path: string;
  readonly text: string;
}

/** The files that a patch changes, with their new texts. Throws an Error that says which hunk has no place or several. */
export function applyPatch(patch: string, read: (path: string) => string): PatchedFile[];
