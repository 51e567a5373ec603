/** The wrapping keys of one domain of an EP11 coprocessor, 32 bytes each. */
export interface WrappingKeys {
  readonly current: Uint8Array | undefined;
  readonly next: { readonly key: Uint8Array; readonly isCommitted: boolean } | undefined;
}

export type KeysOf = (adapter: number, domain: number) => WrappingKeys;
