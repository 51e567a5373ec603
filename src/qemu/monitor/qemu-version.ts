/** The QEMU that is imitated. */
export const qemuVersion = { qemu: { micro: 2, minor: 2, major: 10 }, package: "" } as const;

export const qemuVersionText = [qemuVersion.qemu.major, qemuVersion.qemu.minor, qemuVersion.qemu.micro].join(".");
