import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { frontProgram, whyNoNamespaces } from "./front-program.ts";

/**
 * Debian's libvirt probes the front as it probes every emulator. The daemon is this test's own, in namespaces of its own, where everything
 * that it writes lands in one folder.
 */
const script = `
set -eu
cd "$1"
mkdir -p run lib cache log etc
mount --bind run /run
mkdir -p /run/libvirt /run/lock
mount --bind lib /var/lib/libvirt
mount --bind cache /var/cache/libvirt
mount --bind log /var/log/libvirt
mount --bind etc /etc/libvirt
mkdir -p /var/lib/libvirt/qemu /var/cache/libvirt/qemu
printf 'user = "root"\\ngroup = "root"\\nsecurity_driver = "none"\\n' > /etc/libvirt/qemu.conf
printf 'auth_unix_rw = "none"\\nauth_unix_ro = "none"\\nlog_outputs = "1:file:%s/libvirtd.log"\\nlog_filters = "1:qemu_monitor 4:*"\\n' "$1" > libvirtd.conf
libvirtd -f libvirtd.conf -t 30 > libvirtd.out 2>&1 &
daemon=$!
trap 'kill $daemon; wait $daemon || true' EXIT
tries=0
until [ -S /run/libvirt/libvirt-sock ] || [ $tries -ge 100 ]; do sleep 0.1; tries=$((tries + 1)); done
timeout 60 virsh -q -c qemu:///system domcapabilities --emulatorbin "$2" --arch s390x --machine s390-ccw-virtio
`;

const reason = existsSync("/usr/sbin/libvirtd") && existsSync("/usr/bin/virsh") ? whyNoNamespaces() : "libvirt is not installed";

describe("libvirt's prober", () => {
  let folder: string;
  let capabilities: string;

  beforeAll(async () => {
    if (reason !== undefined) return;
    folder = mkdtempSync("/tmp/adjunct-libvirt-");
    const front = frontProgram(join(folder, "front"));
    const { stdout } = await promisify(execFile)("unshare", ["-mn", "sh", "-c", script, "probe", folder, front], { timeout: 100_000 });
    capabilities = stdout;
  }, 110_000);

  afterAll(() => {
    if (folder !== undefined) rmSync(folder, { recursive: true });
  });

  beforeEach((context) => {
    if (reason !== undefined) context.skip(reason);
  });

  it("takes the front for a QEMU 10.2.2 of s390x that can do vfio-ap", () => {
    expect(capabilities).toContain("<domain>kvm</domain>");
    expect(capabilities).toContain("<machine>s390-ccw-virtio-10.2</machine>");
    expect(capabilities).toContain("<vcpu max='248'/>");
    const cache = join(folder, "cache/qemu/capabilities");
    const found = readFileSync(join(cache, readdirSync(cache)[0]!), "utf8");
    expect(found).toContain("<version>10002002</version>");
    for (const flag of ["kvm", "vfio-ap", "vfio-ccw", "query-cpu-model-expansion", "device.json+hotplug", "object.qapified"]) {
      expect(found, flag).toContain(`<flag name='${flag}'/>`);
    }
    expect(found).toContain("<hostCPU type='kvm'");
  });

  it("is refused nothing but devices of other machines", () => {
    const log = readFileSync(join(folder, "libvirtd.log"), "utf8");
    const refused = [...log.matchAll(/"error": \{"class": "(\w+)", "desc": "([^"]*)"/g)].map(
      ([, errorClass, text]) => `${errorClass}: ${text}`,
    );
    const others = ["usb-host", "kvm-pit", "ide-hd", "PIIX4_PM", "ICH9-LPC"].map((name) => `DeviceNotFound: Device '${name}' not found`);
    for (const answer of refused) expect(others).toContain(answer);
  });
});
