import * as v from "valibot";
import type { ControlClient } from "./control-client.ts";

/** What a host answers to `status`. */
const statusSchema = v.object({
  adapters: v.array(
    v.object({
      id: v.number(),
      type: v.optional(v.string()),
      isConfigured: v.boolean(),
      isCheckstopped: v.boolean(),
      functions: v.number(),
      queues: v.array(v.object({ name: v.string(), driver: v.optional(v.string()), status: v.optional(v.string()) })),
    }),
  ),
  mdevs: v.array(v.object({ uuid: v.string(), matrix: v.array(v.string()), guestMatrix: v.array(v.string()), inUse: v.boolean() })),
  guests: v.array(
    v.object({
      name: v.string(),
      isRunning: v.boolean(),
      mdev: v.optional(v.string()),
      apqns: v.array(v.string()),
      /** Of a model guest: its Linux, another one with each boot, wherever it moves. */
      bootId: v.optional(v.string()),
      /** Of a model guest: what `uname -r` says in it. */
      release: v.optional(v.string()),
    }),
  ),
});

export type HostStatus = v.InferOutput<typeof statusSchema>;

export const parseHostStatus = (answer: unknown): HostStatus => v.parse(statusSchema, answer);

export async function hostStatus(client: ControlClient): Promise<HostStatus> {
  return parseHostStatus(await client.request({ do: "status" }));
}
