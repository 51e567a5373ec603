import type { Mode } from "../../ap/queue-info.ts";
import { KeyStore } from "../secrets/key-store.ts";
import { serialNumber } from "../secrets/serial-number.ts";
import { acceleratorProcessor } from "./accelerator.ts";
import type { AsymmetricEngine } from "./asymmetric/asymmetric-task.ts";
import { immediateEngine } from "./asymmetric/compute-asymmetric.ts";
import { ccaProcessor } from "./cca/cca-processor.ts";
import { type AdapterProcessor, refusingProcessor } from "./processor.ts";

export interface ComputingParts {
  readonly engine?: AsymmetricEngine;
  /** The master keys of all domains; none, unless given. */
  readonly keys?: KeyStore;
  /** The machine whose adapters these are: their serial numbers come from it. */
  readonly machineName?: string;
}

/** Does what the adapter's mode says. EP11 coprocessors know no command yet. */
export function computingProcessor(parts: ComputingParts = {}): AdapterProcessor {
  const { engine = immediateEngine, keys = new KeyStore(), machineName = "" } = parts;
  const processors: Readonly<Record<Mode, AdapterProcessor>> = {
    accelerator: acceleratorProcessor(engine),
    cca: ccaProcessor({ engine, keys, serialOf: (adapter) => serialNumber(machineName, adapter, ccaSerialCharacters) }),
    ep11: refusingProcessor,
  };
  return (request, reply) => processors[request.profile.mode](request, reply);
}

const ccaSerialCharacters = 8;
