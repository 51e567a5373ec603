/** What `adjunct guest fetch` can build, by the names that a guest's `linux:` takes. */
export const guestImageRecipes = {
  "debian-12": { suite: "bookworm" },
  "debian-13": { suite: "trixie" },
  "debian-sid": { suite: "sid" },
} as const satisfies Readonly<Record<string, { readonly suite: string }>>;

export type GuestImageName = keyof typeof guestImageRecipes;

export const defaultGuestImage: GuestImageName = "debian-12";

export const guestImageNames = Object.keys(guestImageRecipes) as readonly GuestImageName[];

export const isGuestImageName = (name: string): name is GuestImageName => Object.hasOwn(guestImageRecipes, name);

/** Its dependency is the kernel of the suite. */
export const kernelPackage = "linux-image-s390x";

/** They come with what they depend on. */
export const programPackages = ["busybox-static", "s390-tools", "libica-utils", "openssl", "openssl-ibmca"] as const;

/** What of them is in the guest, with the libraries that these need. */
export const programs = [
  "busybox",
  "lszcrypt",
  "chzcrypt",
  "zcryptctl",
  "lszdev",
  "icainfo",
  "icainfo-cex",
  "icastats",
  "openssl",
] as const;

/** With those they need, where the kernel has them as modules. Without the first there are no cards. */
export const modules = ["zcrypt_cex4", "virtio_console", "virtio_blk", "virtio_net", "virtio_rng"] as const;

/** For QEMU's -append: silent, and without tests of algorithms that take a tenth of the boot. */
export const kernelCommandLine = "quiet cryptomgr.notests";

/** Another text makes the images that there are outdated. */
export const recipeText = JSON.stringify([kernelPackage, programPackages, programs, modules, kernelCommandLine]);
