/** What glibc calls the errno of an error that Node threw. */
export function systemErrorText(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code ?? "";
  return texts[code] ?? (error as Error).message;
}

const texts: Readonly<Record<string, string>> = {
  EPERM: "Operation not permitted",
  ENOENT: "No such file or directory",
  ENXIO: "No such device or address",
  EACCES: "Permission denied",
  EEXIST: "File exists",
  ENOTDIR: "Not a directory",
  EISDIR: "Is a directory",
  EINVAL: "Invalid argument",
  EMFILE: "Too many open files",
  ENOSPC: "No space left on device",
  EROFS: "Read-only file system",
  ELOOP: "Too many levels of symbolic links",
  ENAMETOOLONG: "File name too long",
  ENOTSOCK: "Socket operation on non-socket",
  EADDRINUSE: "Address already in use",
  EADDRNOTAVAIL: "Cannot assign requested address",
  ENETUNREACH: "Network is unreachable",
  ECONNRESET: "Connection reset by peer",
  ECONNREFUSED: "Connection refused",
  EHOSTUNREACH: "No route to host",
  ETIMEDOUT: "Connection timed out",
  EAGAIN: "Resource temporarily unavailable",
};
