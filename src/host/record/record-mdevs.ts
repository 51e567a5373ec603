import { bitsOf, type RecordedMdev } from "./recording.ts";
import type { SysfsFolder } from "./sysfs-folder.ts";

/** The mediated devices in the order in which they were made: that of their IOMMU groups. */
export function recordMdevs(sys: SysfsFolder): RecordedMdev[] {
  const matrix = sys.folder("devices/vfio_ap/matrix");
  return matrix.names
    .filter((name) => /^[0-9a-f]{8}-/.test(name))
    .map((uuid) => ({ uuid, group: Number(matrix.folder(uuid).target("iommu_group") ?? 0) }))
    .sort((left, right) => left.group - right.group || (left.uuid < right.uuid ? -1 : 1))
    .map(({ uuid }) => ({ uuid, ...matrixOf(matrix.folder(uuid)), isInUse: isInUse(matrix.folder(uuid), sys.folder("devices/ap")) }));
}

function matrixOf(mdev: SysfsFolder): { adapters: number[]; domains: number[]; controlDomains: number[] } {
  const masks = mdev.line("ap_config")?.split(",");
  if (masks) return { adapters: bitsOf(masks[0]), domains: bitsOf(masks[1]), controlDomains: bitsOf(masks[2]) };
  const lines = (mdev.text("matrix") ?? "").split("\n").map((line) => line.split("."));
  const numbers = (column: number): number[] => {
    const found = lines.flatMap((parts) => (parts[column] ? [Number.parseInt(parts[column], 16)] : []));
    return [...new Set(found)].sort((left, right) => left - right);
  };
  const controlDomains = (mdev.text("control_domains") ?? "")
    .split("\n")
    .flatMap((line) => (line === "" ? [] : [Number.parseInt(line, 16)]));
  return { adapters: numbers(0), domains: numbers(1), controlDomains };
}

/** A queue of its guest says so; a guest without queues cannot be seen from outside. */
function isInUse(mdev: SysfsFolder, cards: SysfsFolder): boolean {
  const [first = ""] = (mdev.text("guest_matrix") ?? "").split("\n");
  if (!/^[0-9a-f]{2}\.[0-9a-f]{4}$/.test(first)) return false;
  return cards.folder(`card${first.slice(0, 2)}/${first}`).line("status") === "in use";
}
