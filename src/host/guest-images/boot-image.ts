import type { GuestConfiguration } from "../configuration.ts";
import { Refusal } from "../control-protocol.ts";
import { fetchedGuestImage } from "./guest-image-folder.ts";
import { guestImageNames, isGuestImageName } from "./guest-image-recipes.ts";

/** A guest whose `linux` is an image that was fetched, with that image's files where it names none of its own. Refusal: not fetched yet. */
export function withImage(guest: GuestConfiguration): GuestConfiguration {
  const { name, boot } = guest;
  if (boot?.linux === undefined) return guest;
  const { linux } = boot;
  if (!isGuestImageName(linux)) throw new Refusal(`guest ${name}: there is no image ${linux}, but ${guestImageNames.join(", ")}`);
  const image = fetchedGuestImage(linux);
  if (!image) throw new Refusal(`guest ${name}: the image ${linux} is not there yet: adjunct guest fetch ${linux} builds it`);
  const { kernel, initrd, commandLine } = image;
  return { ...guest, boot: { kernel, initrd, append: commandLine, ...boot } };
}
