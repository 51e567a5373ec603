/** The QEMU that the front is, to those who ask. */
export const emulatedVersion = { major: 10, minor: 2, micro: 2, text: "10.2.2" } as const;
