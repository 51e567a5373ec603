import type { Mode } from "../../ap/queue-info.ts";
import { acceleratorProcessor } from "./accelerator.ts";
import type { AsymmetricEngine } from "./asymmetric/asymmetric-task.ts";
import { immediateEngine } from "./asymmetric/compute-asymmetric.ts";
import { ccaProcessor } from "./cca/cca-processor.ts";
import { type AdapterProcessor, refusingProcessor } from "./processor.ts";

/** Does what the adapter's mode says. EP11 coprocessors know no command yet. */
export function computingProcessor(engine: AsymmetricEngine = immediateEngine): AdapterProcessor {
  const processors: Readonly<Record<Mode, AdapterProcessor>> = {
    accelerator: acceleratorProcessor(engine),
    cca: ccaProcessor(engine),
    ep11: refusingProcessor,
  };
  return (request, reply) => processors[request.profile.mode](request, reply);
}
