import { connectHost } from "../host/known-hosts.ts";
import { RecordedSide } from "../host/recorded-side.ts";
import { type FactsQuestion, parseSideFacts, type SideFacts } from "../migration/side-facts.ts";

/** One end of a migration that is only looked at: a running host, or a file that stands for one. */
export interface MigrationSide {
  facts(about: FactsQuestion): Promise<SideFacts>;
  close(): void;
}

export async function openMigrationSide(name: string): Promise<MigrationSide> {
  if (isFile(name)) {
    const side = await RecordedSide.read(name);
    return { facts: async (about) => side.facts(about), close() {} };
  }
  const client = await connectHost(name);
  return {
    facts: async (about) => parseSideFacts(await client.request({ do: "migration-facts", about })),
    close: () => client.close(),
  };
}

/** No host has such a name. */
export const isFile = (name: string): boolean => name.includes("/") || /\.ya?ml$/.test(name);
