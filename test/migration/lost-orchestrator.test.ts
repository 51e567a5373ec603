import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { ControlClient } from "../../src/host/control-client.ts";
import type { RunningHost } from "../../src/host/run-host.ts";
import { type MovingHost, moveGuest } from "../../src/migration/move-guest.ts";
import { parseSideFacts, questionFor } from "../../src/migration/side-facts.ts";
import { source, stateOf, target, useTwoHosts, uuid } from "./two-hosts.ts";

/** Who moves a guest may be killed at any time: what it began is undone by the hosts when its connections end. */
const hosts = useTwoHosts();
const guest = "guest1";
const facilities = { ap: true, apqci: true, apft: true, apqi: true };

/** Asks until the answer is this one. */
async function until(ask: () => Promise<unknown>, wanted: unknown): Promise<void> {
  for (let look = 0; look < 1000; look++) {
    if (JSON.stringify(await ask()) === JSON.stringify(wanted)) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(await ask()).toEqual(wanted);
}

async function questionAbout(client: ControlClient): Promise<unknown> {
  return questionFor(parseSideFacts(await client.request({ do: "migration-facts", about: { of: "guest", name: guest } })));
}

const assign = (host: RunningHost, text: string): Promise<unknown> =>
  host.command({ do: "write", path: `/sys/devices/vfio_ap/matrix/${uuid}/assign_control_domain`, data: text }).then(
    () => "done",
    (error: { readonly code: string }) => error.code,
  );

test("who gives up before the guest is sent leaves both sides as they were, and says so as virsh does", async () => {
  const here = await hosts.current.up(source);
  const there = await hosts.current.up(target);
  const [before, beforeThere] = [await stateOf(here), await stateOf(there)];
  const interrupted = new AbortController();
  const [from, to] = [await hosts.current.connect(here), await hosts.current.connect(there)];
  const movingHost = (name: string, client: ControlClient): MovingHost => ({ name, ask: (command) => client.request(command) });
  const result = await moveGuest(movingHost("here", from), movingHost("there", to), {
    ...{ guest, createsMdev: true, isHeld: true, nowMs: () => 0, pause: async () => {}, onProgress() {} },
    onFindings: () => interrupted.abort(),
    signal: interrupted.signal,
  });
  expect(result).toEqual({ isMoved: false, line: "error: operation aborted: job 'migration out' canceled by client" });
  expect([await stateOf(here), await stateOf(there)]).toEqual([before, beforeThere]);
  from.close();
  to.close();
});

describe("when the connection of who moves a guest ends", () => {
  test("so do its holds", async () => {
    const here = await hosts.current.up(source);
    const client = await hosts.current.connect(here);
    await client.request({ do: "migration-hold", action: "take", about: await questionAbout(client) });
    expect(await assign(here, "7")).toBe("EBUSY");
    client.close();
    await client.closed;
    await until(() => assign(here, "7"), "done");
  });

  test("a destination that was made ready is as it was", async () => {
    const here = await hosts.current.up(source);
    const there = await hosts.current.up(target);
    const before = await stateOf(there);
    const [from, to] = [await hosts.current.connect(here), await hosts.current.connect(there)];
    const origin = await from.request({ do: "guest-move", action: "origin", guest });
    const receive = { do: "guest-move", action: "receive", guest, origin, facilities, uuid, createsMdev: true } as const;
    expect(await to.request(receive)).toMatch(/^unix:/);
    expect(await stateOf(there)).toMatchObject({ mdevs: [{ uuid, inUse: true }], guests: [{ name: guest, isRunning: false }] });
    await expect(to.request(receive)).rejects.toThrow("guest guest1 is awaited already");
    to.close();
    await until(() => stateOf(there), before);
    expect(hosts.current.logOf("there")).toEqual([
      "shutting down, reason=failed",
      expect.stringContaining("terminating on signal 15 from pid"),
    ]);
    from.close();
  });

  test("a guest on its way stays and goes on", async () => {
    const here = await hosts.current.up(source);
    // A destination that takes the connection and says nothing.
    const path = join(hosts.current.folder, "silent");
    const sockets: Socket[] = [];
    const server = createServer((socket) => sockets.push(socket)).listen(path);
    await once(server, "listening");
    const before = await stateOf(here);
    const client = await hosts.current.connect(here);
    const sending = client.request({ do: "guest-move", action: "send", guest, uri: `unix:${path}` }).catch(() => {});
    await once(server, "connection");
    client.close();
    await sending;
    const other = await hosts.current.connect(here);
    const status = async (): Promise<unknown> =>
      ((await other.request({ do: "guest-move", action: "progress", guest })) as { readonly status: unknown }).status;
    await until(status, "cancelled");
    expect(await stateOf(here)).toEqual(before);
    other.close();
    for (const socket of sockets) socket.destroy();
    server.close();
  });

  test("a guest that came stays there", async () => {
    await hosts.current.up(source);
    const there = await hosts.current.up(target);
    expect((await hosts.current.adjunct("migrate", "here", guest, "there")).status).toBe(0);
    const client = await hosts.current.connect(there);
    await client.request({ do: "guest-move", action: "abandon", guest });
    client.close();
    await client.closed;
    expect(await stateOf(there)).toMatchObject({ guests: [{ name: guest, isRunning: true }] });
  });
});
