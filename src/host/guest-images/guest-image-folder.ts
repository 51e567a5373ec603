import { createHash } from "node:crypto";
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { packageRoot } from "../package-root.ts";
import { places } from "../places.ts";
import { type GuestImageName, guestImageNames, recipeText } from "./guest-image-recipes.ts";
import { ownSources } from "./own-sources.ts";

/**
 * Where the images of real guests are: a folder an image, made elsewhere and renamed into its place when it is whole.
 *
 *     debian-12/kernel, initrd    what QEMU takes
 *     debian-12/image.json        what they are made of
 *     .lock, .new-…               held, and filled, by the one fetch that goes on
 */
export interface GuestImage {
  readonly name: GuestImageName;
  readonly kernel: string;
  readonly initrd: string;
  /** For QEMU's -append. */
  readonly commandLine: string;
  readonly kernelVersion: string;
  /** Versions by the names of packages. */
  readonly packages: Readonly<Record<string, string>>;
  /** Made by another Adjunct, whose agent this one may not know. */
  readonly isOutdated: boolean;
}

export interface GuestImagePlaces {
  readonly folder: string;
  readonly lock: string;
  readonly newPrefix: string;
  image(name: GuestImageName): string;
}

const files = { kernel: "kernel", initrd: "initrd", description: "image.json" } as const;

const descriptionSchema = v.object({
  kernelVersion: v.string(),
  commandLine: v.string(),
  packages: v.record(v.string(), v.string()),
  /** Of our own files in it. */
  sources: v.string(),
});

export type GuestImageContent = Omit<v.InferOutput<typeof descriptionSchema>, "sources"> & {
  readonly kernel: Buffer;
  readonly initrd: Buffer;
};

export function guestImagePlaces(folder = places().guestImagesFolder): GuestImagePlaces {
  return { folder, lock: join(folder, ".lock"), newPrefix: join(folder, ".new-"), image: (name) => join(folder, name) };
}

export const fetchedGuestImages = (at = guestImagePlaces()): GuestImage[] =>
  guestImageNames.flatMap((name) => fetchedGuestImage(name, at) ?? []);

/** Undefined: not there, or not whole. */
export function fetchedGuestImage(name: GuestImageName, at = guestImagePlaces()): GuestImage | undefined {
  const folder = at.image(name);
  const kernel = join(folder, files.kernel);
  const initrd = join(folder, files.initrd);
  const description = readDescription(join(folder, files.description));
  if (description === undefined || !existsSync(kernel) || !existsSync(initrd)) return undefined;
  const { sources, ...rest } = description;
  return { name, kernel, initrd, ...rest, isOutdated: sources !== ownSourcesSum() };
}

/** `draft` is a new folder beside the image's. */
export function placeGuestImage(
  name: GuestImageName,
  { kernel, initrd, ...rest }: GuestImageContent,
  draft: string,
  at: GuestImagePlaces,
): void {
  writeFileSync(join(draft, files.kernel), kernel);
  writeFileSync(join(draft, files.initrd), initrd);
  writeFileSync(join(draft, files.description), `${JSON.stringify({ ...rest, sources: ownSourcesSum() }, null, 2)}\n`);
  const place = at.image(name);
  const former = `${at.newPrefix}former-${name}`;
  // A program that starts a guest meanwhile is without it for no longer than two renames take.
  if (existsSync(place)) renameSync(place, former);
  renameSync(draft, place);
  rmSync(former, { recursive: true, force: true });
}

function ownSourcesSum(): string {
  const sum = createHash("sha256").update(recipeText);
  for (const { source } of ownSources) sum.update(readFileSync(join(packageRoot, source)));
  return sum.digest("hex");
}

function readDescription(path: string): v.InferOutput<typeof descriptionSchema> | undefined {
  try {
    return v.parse(descriptionSchema, JSON.parse(readFileSync(path, "utf8")));
  } catch {
    return undefined;
  }
}
