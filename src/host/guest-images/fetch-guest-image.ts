import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { removeLeftovers } from "../tools/leftovers.ts";
import { takeTurn } from "../tools/turn.ts";
import { cpioArchive } from "./cpio.ts";
import { DebianSuite } from "./debian-suite.ts";
import { fetchedGuestImage, type GuestImage, type GuestImagePlaces, guestImagePlaces, placeGuestImage } from "./guest-image-folder.ts";
import { type GuestImageName, guestImageRecipes, kernelCommandLine } from "./guest-image-recipes.ts";
import { initramfs, kernelFile, kernelVersionIn } from "./initramfs.ts";

/**
 * Builds a guest's kernel and initramfs from Debian's packages for s390x, unless they are there and made by this Adjunct. Several at once take
 * turns. Blocks; throws a Refusal.
 */
export function fetchGuestImage(name: GuestImageName, note: Note, at = guestImagePlaces()): GuestImage {
  return (
    existing(name, at) ??
    inTurn(at, note, (folder) => existing(name, at) ?? build(name, openSuite(name, folder, note), { folder, note, at }))
  );
}

/** The same, and builds it anew when the archive has other versions of what it is made of. */
export function updateGuestImage(name: GuestImageName, note: Note, at = guestImagePlaces()): GuestImage {
  return inTurn(at, note, (folder) => {
    const present = existing(name, at);
    const suite = openSuite(name, folder, note);
    return present && suite.hasVersions(present.packages) ? present : build(name, suite, { folder, note, at });
  });
}

type Note = (text: string) => void;

interface Work {
  /** For files under way. */
  readonly folder: string;
  readonly note: Note;
  readonly at: GuestImagePlaces;
}

function existing(name: GuestImageName, at: GuestImagePlaces): GuestImage | undefined {
  const image = fetchedGuestImage(name, at);
  return image?.isOutdated ? undefined : image;
}

function inTurn(at: GuestImagePlaces, note: Note, work: (folder: string) => GuestImage): GuestImage {
  mkdirSync(at.folder, { recursive: true, mode: 0o700 });
  const endTurn = takeTurn(at.lock, () => note("waiting for another fetch"));
  try {
    removeLeftovers(at.newPrefix);
    const folder = mkdtempSync(at.newPrefix);
    try {
      return work(folder);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  } finally {
    endTurn();
  }
}

function openSuite(name: GuestImageName, folder: string, note: Note): DebianSuite {
  const { suite } = guestImageRecipes[name];
  note(`fetching the lists of ${suite} for s390x`);
  return new DebianSuite(suite, folder);
}

function build(name: GuestImageName, suite: DebianSuite, { folder, note, at }: Work): GuestImage {
  note(`fetching ${suite.kernelPackages.at(-1)}, the programs and what they need`);
  const packages = suite.download();
  note("building the image");
  const root = join(folder, "root");
  suite.unpack(root);
  const kernelVersion = kernelVersionIn(root);
  const kernel = readFileSync(kernelFile(root, kernelVersion));
  const initrd = cpioArchive(initramfs(root, kernelVersion));
  const draft = join(folder, "image");
  mkdirSync(draft);
  placeGuestImage(name, { kernel, initrd, kernelVersion, packages, commandLine: kernelCommandLine }, draft, at);
  return fetchedGuestImage(name, at)!;
}
