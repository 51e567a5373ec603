/** Linux error numbers (asm-generic) that a file operation of this tree can give. */
export const errnoNumbers = {
  EPERM: 1,
  ENOENT: 2,
  EINTR: 4,
  EIO: 5,
  ENXIO: 6,
  E2BIG: 7,
  EBADF: 9,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EFAULT: 14,
  EBUSY: 16,
  EEXIST: 17,
  ENODEV: 19,
  ENOTDIR: 20,
  EISDIR: 21,
  EINVAL: 22,
  ENOTTY: 25,
  ENOSPC: 28,
  ESPIPE: 29,
  ERANGE: 34,
  ENOSYS: 38,
  EUSERS: 87,
  EMSGSIZE: 90,
  EOPNOTSUPP: 95,
  EADDRINUSE: 98,
  EADDRNOTAVAIL: 99,
  ETIMEDOUT: 110,
  ECANCELED: 125,
  ERESTARTSYS: 512,
} as const;

export type ErrnoName = keyof typeof errnoNumbers;

/** An error that the kernel answers with a number. Everything else that is thrown is a bug. */
export class Errno extends Error {
  readonly code: ErrnoName;

  constructor(code: ErrnoName) {
    super(code);
    this.name = "Errno";
    this.code = code;
  }

  get number(): number {
    return errnoNumbers[this.code];
  }
}

export const fail = (code: ErrnoName): never => {
  throw new Errno(code);
};
