/**
 * What two emulators say to each other during a migration: frames of one connection, in both directions. Each side begins with a preface;
 * a frame is a head and its bytes. All numbers are big endian. docs/migration.md has the order in which frames go.
 */

/** "ADJM", where QEMU's own stream has "QEVM". */
export const streamMagic = 0x41444a4d;
export const streamVersion = 1;

export const prefaceLayout = { magic: 0, version: 4, length: 8 } as const;
export const frameHeadLayout = { type: 0, length: 4, bytes: 8 } as const;

/** Their numbers on the wire, and how long the bytes of one may be: stops a peer from making this side keep what it announces. */
export const frameTypes = {
  /** Source: what the guest is, and where its witness is asked. JSON. */
  hello: { code: 1, maxBytes: 4096 },
  /** Target: its own command line fits. JSON. */
  ready: { code: 2, maxBytes: 4096 },
  /** Target: it gives up, and why. */
  failed: { code: 3, maxBytes: 4096 },
  /** Either: still there. */
  alive: { code: 4, maxBytes: 0 },
  /** Source: a piece of what the port's machine sends. */
  machine: { code: 5, maxBytes: 256 * 1024 },
  machineEnd: { code: 6, maxBytes: 0 },
  /** Source: what of the machine goes while the guest runs is on its way. */
  almost: { code: 17, maxBytes: 0 },
  /** Target: it took all that. */
  caughtUp: { code: 18, maxBytes: 0 },
  /** Source: the guest stands. JSON. */
  stopped: { code: 7, maxBytes: 256 },
  /** Source: a piece of the vfio-ap device's data. */
  device: { code: 8, maxBytes: 64 * 1024 },
  deviceEnd: { code: 9, maxBytes: 0 },
  /** Target: the device took all its data. */
  deviceLoaded: { code: 10, maxBytes: 0 },
  /** Target: the machine is whole. */
  machineLoaded: { code: 11, maxBytes: 0 },
  /** Target: everything is there; from now on it does what the source decides. */
  loaded: { code: 12, maxBytes: 0 },
  /** Source: the guest is the target's. */
  go: { code: 13, maxBytes: 0 },
  /** Target: it runs, or stands as it is to stand. */
  running: { code: 14, maxBytes: 0 },
  /** Source: it knows. */
  done: { code: 15, maxBytes: 0 },
  /** Source: the guest stays. */
  abort: { code: 16, maxBytes: 4096 },
} as const;

export type FrameType = keyof typeof frameTypes;

export interface Frame {
  readonly type: FrameType;
  readonly bytes: Buffer;
}

export function encodePreface(): Buffer {
  const preface = Buffer.alloc(prefaceLayout.length);
  preface.writeUInt32BE(streamMagic, prefaceLayout.magic);
  preface.writeUInt32BE(streamVersion, prefaceLayout.version);
  return preface;
}

export function encodeFrame(type: FrameType, bytes: Uint8Array = new Uint8Array()): Buffer {
  const frame = Buffer.alloc(frameHeadLayout.bytes + bytes.length);
  frame.writeUInt32BE(frameTypes[type].code, frameHeadLayout.type);
  frame.writeUInt32BE(bytes.length, frameHeadLayout.length);
  frame.set(bytes, frameHeadLayout.bytes);
  return frame;
}

const typesByCode: ReadonlyMap<number, FrameType> = new Map(
  Object.entries(frameTypes).map(([type, { code }]) => [code, type as FrameType]),
);

/** The type and length that a head announces. Throws StreamError. */
export function readFrameHead(head: Buffer): { readonly type: FrameType; readonly length: number } {
  const code = head.readUInt32BE(frameHeadLayout.type);
  const length = head.readUInt32BE(frameHeadLayout.length);
  const type = typesByCode.get(code);
  if (!type) throw new StreamError(`Unknown frame type ${code}`);
  if (length > frameTypes[type].maxBytes)
    throw new StreamError(`Frame ${type} has ${length} bytes, more than ${frameTypes[type].maxBytes}`);
  return { type, length };
}

/** Throws StreamError. Texts: qemu_loadvm_state_header of QEMU 10.2.2. */
export function checkPreface(preface: Buffer): void {
  const magic = preface.readUInt32BE(prefaceLayout.magic);
  if (magic !== streamMagic) {
    throw new StreamError(`Not a migration stream, magic: ${magic.toString(16)} != ${streamMagic.toString(16)}`);
  }
  const version = preface.readUInt32BE(prefaceLayout.version);
  if (version !== streamVersion) throw new StreamError(`Unsupported migration stream version ${version}`);
}

/** The peer says what nobody may say here. */
export class StreamError extends Error {}
