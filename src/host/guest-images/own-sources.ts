/** Files of this package in a guest image: with another content of theirs an image is outdated. */
export const ownSources = [
  { path: "init", source: "scripts/guest-image/init.sh" },
  { path: "usr/sbin/adjunct-agent", source: "scripts/guest-image/agent.sh" },
  { path: "usr/lib/ssl/openssl.cnf", source: "scripts/guest-image/openssl.cnf" },
] as const;
