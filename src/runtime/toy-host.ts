import { createInterface } from "node:readline";
import { startMounted } from "./mounted.ts";

/**
 * Serves the toy model: `node toy-host.js MOUNT-POINT [OPTIONS]`, OPTIONS as JSON for startMounted and `eventDelayMs`, how long it takes
 * to take an event. A line of JSON on its input is a command (`{"exit":STATUS}` and `{"throw":TEXT}` end this process), its output
 * says `{"ready":…}`, then answers, events and faults. It ends with its input.
 */
const mountPoint = process.argv[2] ?? "";
const { eventDelayMs, ...options } = JSON.parse(process.argv[3] ?? "{}") as { eventDelayMs?: number };
const say = (message: object): void => void process.stdout.write(`${JSON.stringify(message)}\n`);

const start = startMounted({
  modelModule: new URL("./toy-model.js", import.meta.url),
  configuration: {},
  clock: "real",
  mountPoint,
  async onEvent(event) {
    if (eventDelayMs !== undefined) await new Promise((resolve) => setTimeout(resolve, eventDelayMs));
    say({ event });
  },
  onFault: (error) => say({ fault: `${error.name}: ${error.message}` }),
  ...options,
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
  const { tick, exit, throw: text, ...request } = JSON.parse(line) as { tick?: number; exit?: number; throw?: string };
  if (exit !== undefined) process.exit(exit);
  if (text !== undefined) throw new Error(text);
  (tick === undefined ? runtime.command(request) : runtime.tick(tick)).then(
    (value) => say({ answer: value ?? null }),
    (error: Error) => say({ refused: `${error.name}: ${error.message}` }),
  );
});
input.on("close", () => void runtime.stop());
say({ ready: process.pid });
