export function installNpmPackages(): void;
/** Names of the packages that are missing still. */
export function installDebianPackages(packages: Readonly<Record<string, string>>): string[];
