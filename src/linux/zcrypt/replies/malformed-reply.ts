/** A reply that no adapter should give: its queue goes offline and the request to another one. */
export class MalformedReply extends Error {
  constructor(
    /** What the kernel log says of it. */
    readonly complaint: string,
  ) {
    super(complaint);
    this.name = "MalformedReply";
  }
}

/** `unknown response type 0x12 =>` */
export const unknownType = (reply: Uint8Array): MalformedReply =>
  new MalformedReply(`unknown response type 0x${(reply[1] ?? 0).toString(16).padStart(2, "0")} =>`);
