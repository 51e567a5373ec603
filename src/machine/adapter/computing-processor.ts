import { randomBytes } from "node:crypto";
import type { Mode } from "../../ap/queue-info.ts";
import { KeyStore } from "../secrets/key-store.ts";
import { serialNumber } from "../secrets/serial-number.ts";
import { acceleratorProcessor } from "./accelerator.ts";
import type { AsymmetricEngine } from "./asymmetric/asymmetric-task.ts";
import { immediateEngine } from "./asymmetric/compute-asymmetric.ts";
import { ccaProcessor } from "./cca/cca-processor.ts";
import { ep11Processor } from "./ep11/ep11-processor.ts";
import type { AdapterProcessor } from "./processor.ts";

export interface ComputingParts {
  readonly engine?: AsymmetricEngine;
  /** The master keys of all domains; none, unless given. */
  readonly keys?: KeyStore;
  /** The machine whose adapters these are: their serial numbers come from it. */
  readonly machineName?: string;
}

/** Does what the adapter's mode says. */
export function computingProcessor(parts: ComputingParts = {}): AdapterProcessor {
  const { engine = immediateEngine, keys = new KeyStore(), machineName = "" } = parts;
  const serialOf = (characters: number) => (adapter: number) => serialNumber(machineName, adapter, characters);
  const protectionKey = randomBytes(32);
  const processors: Readonly<Record<Mode, AdapterProcessor>> = {
    accelerator: acceleratorProcessor(engine),
    cca: ccaProcessor({ engine, keys, protectionKey, serialOf: serialOf(SerialCharacters.cca) }),
    ep11: ep11Processor({
      keysOf: (adapter, domain) => keys.wrappingKeys(adapter, domain),
      protectionKey,
      serialOf: serialOf(SerialCharacters.ep11),
    }),
  };
  return (request, reply) => processors[request.profile.mode](request, reply);
}

const SerialCharacters = { cca: 8, ep11: 16 } as const;
