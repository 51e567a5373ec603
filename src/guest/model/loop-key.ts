import { createHash, createPublicKey, verify } from "node:crypto";
import type { LoopKey } from "./saved-guest.ts";

/** DigestInfo of SHA-256 up to the digest. Source: RFC 8017, 9.2, note 1. */
const sha256Info = Buffer.from("3031300d060960864801650304020105000420", "hex");

/** EMSA-PKCS1-v1_5 with SHA-256: what RSA makes a signature of. Source: RFC 8017, 9.2. */
export function paddedDigest(message: Buffer, size: number): Buffer {
  const digest = createHash("sha256").update(message).digest();
  const padding = Buffer.alloc(size - 3 - sha256Info.length - digest.length, 0xff);
  return Buffer.concat([Buffer.of(0, 1), padding, Buffer.of(0), sha256Info, digest]);
}

/** Whether OpenSSL takes it for the message's signature. With numbers that make no key it takes none. */
export function signatureVerifier({ n, e }: LoopKey): (message: Buffer, signature: Uint8Array) => boolean {
  const part = (digits: string): string => Buffer.from(digits, "hex").toString("base64url");
  const publicKey = createPublicKey({ format: "jwk", key: { kty: "RSA", n: part(n), e: part(e) } });
  return (message, signature) => verify("sha256", message, publicKey, signature);
}
