import { computeAsymmetric } from "./compute-asymmetric.ts";
import { KeyCache } from "./key-cache.ts";
import { ownResult, unpackTask, type WorkerAnswer, type WorkerRequest } from "./worker-messages.ts";

/** What a worker does with a request of its engine; keys stay in its cache for the next one. */
export function asymmetricWorker(keys = new KeyCache()): (request: WorkerRequest) => WorkerAnswer | undefined {
  return (request) => {
    if (request.do === "forget") {
      keys.drop(request.scope);
      return undefined;
    }
    const { id, scope, task } = request;
    return { id, result: ownResult(computeAsymmetric(unpackTask(task), keys.of(scope))) };
  };
}
