import { createInterface } from "node:readline";
import { startMounted } from "./mounted.ts";

/**
 * Serves the toy model: `node toy-host.js MOUNT-POINT [OPTIONS]`, OPTIONS as JSON for startMounted. A line of JSON on its input is a
 * command, its output says `{"ready":…}`, then answers, events and faults. It ends with its input.
 */
const [mountPoint = "", options = "{}"] = process.argv.slice(2);
const say = (message: object): void => void process.stdout.write(`${JSON.stringify(message)}\n`);

const start = startMounted({
  modelModule: new URL("./toy-model.js", import.meta.url),
  configuration: {},
  clock: "real",
  mountPoint,
  onEvent: (event) => say({ event }),
  onFault: (error) => say({ fault: `${error.name}: ${error.message}` }),
  ...(JSON.parse(options) as object),
});
const runtime = await start.catch((error: Error) => {
  say({ failed: error.message });
  process.exit(1);
});
void runtime.ended.then((reason) => {
  say({ ended: reason?.message ?? null });
  input.close();
});
const input = createInterface({ input: process.stdin });
input.on("line", (line) => {
  const { tick, ...request } = JSON.parse(line) as { tick?: number };
  (tick === undefined ? runtime.command(request) : runtime.tick(tick)).then(
    (value) => say({ answer: value ?? null }),
    (error: Error) => say({ refused: `${error.name}: ${error.message}` }),
  );
});
input.on("close", () => void runtime.stop());
say({ ready: process.pid });
