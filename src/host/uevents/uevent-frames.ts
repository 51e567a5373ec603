import { endianness } from "node:os";
import { murmurHash } from "./murmur-hash.ts";

/** The properties of a uevent in their order: ACTION, DEVPATH, SUBSYSTEM and so on. */
export type UeventProperties = readonly (readonly [string, string])[];

/**
 * What a listener of udev's multicast group gets. Source: systemd, src/libsystemd/sd-device/device-monitor.c,
 * struct monitor_netlink_header: the hashes are big endian, the lengths native.
 */
export function udevFrame(properties: UeventProperties): Buffer {
  const header = Buffer.alloc(40);
  const body = Buffer.from(properties.map(([key, value]) => `${key}=${value}\0`).join(""));
  const property = (name: string): string => properties.find(([key]) => key === name)?.[1] ?? "";
  header.write("libudev\0", 0, "latin1");
  header.writeUInt32BE(0xfeedcafe, 8);
  writeNative(header, header.length, 12);
  writeNative(header, header.length, 16);
  writeNative(header, body.length, 20);
  header.writeUInt32BE(hashOf(property("SUBSYSTEM")), 24);
  header.writeUInt32BE(hashOf(property("DEVTYPE")), 28);
  return Buffer.concat([header, body]);
}

/** An absent value has no hash. */
const hashOf = (value: string): number => (value === "" ? 0 : murmurHash(value));

const requestType = 0x10;
const requestFlag = 1;

/**
 * What is sent to the kernel for it to tell the listeners of its own group in our network namespace (since 4.18); it adds a SEQNUM of
 * its own. Source: Linux lib/kobject_uevent.c, uevent_net_rcv_skb.
 */
export function kernelFrame(properties: UeventProperties): Buffer {
  const property = (name: string): string => properties.find(([key]) => key === name)?.[1] ?? "";
  const keys = properties.filter(([key]) => key !== "SEQNUM").map(([key, value]) => `${key}=${value}\0`);
  const body = Buffer.from(`${property("ACTION")}@${property("DEVPATH")}\0${keys.join("")}`);
  const header = Buffer.alloc(16);
  writeNative(header, header.length + body.length, 0);
  const writeShort = endianness() === "LE" ? header.writeUInt16LE.bind(header) : header.writeUInt16BE.bind(header);
  writeShort(requestType, 4);
  writeShort(requestFlag, 6);
  return Buffer.concat([header, body]);
}

function writeNative(buffer: Buffer, value: number, offset: number): void {
  if (endianness() === "LE") buffer.writeUInt32LE(value, offset);
  else buffer.writeUInt32BE(value, offset);
}
