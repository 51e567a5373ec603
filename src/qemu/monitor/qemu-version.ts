/** The QEMU that is imitated. */
export const qemuVersion = { qemu: { major: 10, minor: 2, micro: 2 }, package: "" } as const;

export const qemuVersionText = [qemuVersion.qemu.major, qemuVersion.qemu.minor, qemuVersion.qemu.micro].join(".");
