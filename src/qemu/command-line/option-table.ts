/** One option of the command line. */
export interface OptionRecord {
  readonly name: string;
  readonly takesArgument: boolean;
  /** False for what QEMU has on other machines alone. */
  readonly isForTarget: boolean;
  /** False where a model guest has no use for it: noted and ignored. */
  readonly isRead: boolean;
}

/**
 * Every option of QEMU 10.2.2's qemu-system-s390x, and whether it takes an argument. Source: each option of 7.2 tried with and without one,
 * then what QEMU's documents say was removed and added up to 10.2.
 */
const readWithArgument =
  "accel action chardev cpu d D device display global incoming m M machine mon monitor msg name object pidfile qmp qmp-pretty readconfig " +
  "serial smp uuid";
const readAlone = "S daemonize enable-kvm h help no-reboot no-shutdown nodefaults nographic only-migratable version";
const ignoredWithArgument =
  "add-fd append audio audiodev bios blockdev boot cdrom compat debugcon dfilter drive dtb dump-vmstate echr fda fdb fsdev fw_cfg gdb hda " +
  "hdb hdc hdd icount initrd iscsi k kernel L loadvm mem-path mtdblock net netdev nic numa option-rom overcommit parallel pflash plugin " +
  "qtest qtest-log rtc run-with sandbox sd seed set spice tpmdev trace usbdevice vga virtfs vnc watchdog-action";
const ignoredAlone = "enable-sync-profile full-screen jitdump mem-prealloc no-user-config perfmap preconfig s snapshot usb";
const elsewhereWithArgument = "acpitable g prom-env semihosting-config smbios xen-domid";
const elsewhereAlone = "no-fd-bootchk semihosting win2k-hack xen-attach";

const records = (names: string, takesArgument: boolean, isRead: boolean, isForTarget = true): OptionRecord[] =>
  names.split(" ").map((name) => ({ name, takesArgument, isForTarget, isRead }));

export const optionTable: ReadonlyMap<string, OptionRecord> = new Map(
  [
    ...records(readWithArgument, true, true),
    ...records(readAlone, false, true),
    ...records(ignoredWithArgument, true, false),
    ...records(ignoredAlone, false, false),
    ...records(elsewhereWithArgument, true, false, false),
    ...records(elsewhereAlone, false, false, false),
  ].map((record) => [record.name, record]),
);
