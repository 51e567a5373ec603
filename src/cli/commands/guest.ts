import { fetchGuestImage, updateGuestImage } from "../../host/guest-images/fetch-guest-image.ts";
import { fetchedGuestImages, type GuestImage } from "../../host/guest-images/guest-image-folder.ts";
import { defaultGuestImage, guestImageNames, isGuestImageName } from "../../host/guest-images/guest-image-recipes.ts";
import { type Command, exitStatus, type Invocation, printResult, UsageError } from "../command.ts";

export const guest: Command = {
  name: "guest",
  summary: "fetch a Linux for real guests, kernel and initramfs built from Debian's packages for s390x, or list what is there",
  arguments: [
    { name: "ACTION", description: "fetch or list" },
    { name: "IMAGE", description: `${guestImageNames.join(", ")}; without it ${defaultGuestImage}`, isOptional: true },
  ],
  options: [{ flags: "--update", description: "ask the archive for newer packages, although the image is there" }],
  examples: ["adjunct guest fetch", "adjunct guest fetch debian-13 --update", "adjunct guest list"],
  async run(invocation) {
    const [action = "", image = defaultGuestImage, ...more] = invocation.arguments;
    if (action === "fetch" && more.length === 0) return fetch(invocation, image);
    if (action === "list" && invocation.arguments.length === 1) return list(invocation);
    throw new UsageError(`guest fetch [IMAGE] or guest list, not guest ${invocation.arguments.join(" ")}`);
  },
};

function fetch(invocation: Invocation, name: string): number {
  if (!isGuestImageName(name)) throw new UsageError(`the images are ${guestImageNames.join(", ")}, not ${name}`);
  const fetchImage = invocation.options.update === true ? updateGuestImage : fetchGuestImage;
  const image = fetchImage(name, invocation.output.note);
  printResult(invocation, image, () => [line(image), `  kernel ${image.kernel}`, `  initrd ${image.initrd}`]);
  return exitStatus.done;
}

function list(invocation: Invocation): number {
  const images = fetchedGuestImages();
  printResult(invocation, images, () => (images.length === 0 ? ["none: adjunct guest fetch"] : images.map(line)));
  return exitStatus.done;
}

const line = ({ name, kernelVersion, packages, isOutdated }: GuestImage): string =>
  `${name}: Linux ${kernelVersion}, s390-tools ${packages["s390-tools"]}${isOutdated ? `, outdated: adjunct guest fetch ${name}` : ""}`;
