import { bitsOf, type Recording } from "./recording.ts";
import { SecretMask } from "./secret-mask.ts";
import type { SysfsFolder } from "./sysfs-folder.ts";

/** What a card or its queues said of themselves: shown again as it is. */
const cardTexts = ["serialnr", "API_ordinalnr", "FW_version", "op_modes"];
const queueTexts = ["mkvps", "op_modes"];

type Attributes = Recording["attributes"][number][];

/** Settings of the bus, texts that only a real adapter has, queues that were set offline or bound by hand. */
export function recordAttributes(sys: SysfsFolder, masksSecrets: boolean): Attributes {
  const secrets = new SecretMask(masksSecrets);
  const attributes = recordBus(sys.folder("bus/ap"));
  const binding = new Bindings(sys);
  const cards = sys.folder("devices/ap");
  for (const cardName of cards.names.filter((name) => name.startsWith("card"))) {
    const card = cards.folder(cardName);
    const path = `/sys/devices/ap/${cardName}`;
    for (const name of cardTexts) {
      const text = card.text(name);
      if (text !== undefined)
        attributes.push({ path: `${path}/${name}`, texts: [name === "serialnr" ? secrets.serial(text, cardName) : text] });
    }
    const isUsable = card.line("config") !== "0" && card.line("chkstop") !== "1";
    const isOnline = card.line("online") !== "0";
    if (isUsable && !isOnline) attributes.push({ path: `${path}/online`, texts: ["0\n"] });
    for (const queueName of card.names.filter((name) => /^[0-9a-f]{2}\.[0-9a-f]{4}$/.test(name))) {
      const queue = card.folder(queueName);
      const queuePath = `${path}/${queueName}`;
      for (const name of queueTexts) {
        const text = queue.text(name);
        if (text !== undefined)
          attributes.push({ path: `${queuePath}/${name}`, texts: [name === "mkvps" ? secrets.patterns(text) : text] });
      }
      if (isUsable && isOnline && queue.line("online") === "0") attributes.push({ path: `${queuePath}/online`, texts: ["0\n"] });
      const override = queue.line("driver_override") ?? "";
      if (override !== "") attributes.push({ path: `${queuePath}/driver_override`, texts: [`${override}\n`] });
      binding.add(queueName, queue.target("driver"));
    }
  }
  return [...attributes, ...binding.attributes];
}

function recordBus(bus: SysfsFolder): Attributes {
  const attributes: Attributes = [];
  const add = (name: string): void => {
    const text = bus.text(name);
    if (text !== undefined) attributes.push({ path: `/sys/bus/ap/${name}`, texts: [text] });
  };
  add("config_time");
  add("poll_timeout");
  if (bus.line("poll_thread") === "1") add("poll_thread");
  // A default domain that was taken from the host's drivers since cannot be set, only be found at the start.
  if (bitsOf(bus.line("aqmask")).includes(bus.number("ap_domain") ?? -1)) add("ap_domain");
  return attributes;
}

/** Queues whose driver is not the one that the masks give them. */
class Bindings {
  readonly #adapters: ReadonlySet<number>;
  readonly #domains: ReadonlySet<number>;
  readonly #drivers: SysfsFolder;
  readonly #unbound = new Map<string, string[]>();
  readonly #bound = new Map<string, string[]>();

  constructor(sys: SysfsFolder) {
    const bus = sys.folder("bus/ap");
    this.#adapters = new Set(bitsOf(bus.line("apmask")));
    this.#domains = new Set(bitsOf(bus.line("aqmask")));
    this.#drivers = bus.folder("drivers");
  }

  add(queue: string, driver: string | undefined): void {
    const isDefaults = this.#adapters.has(Number.parseInt(queue.slice(0, 2), 16)) && this.#domains.has(Number.parseInt(queue.slice(3), 16));
    const usual = isDefaults ? "cex4queue" : "vfio_ap";
    if (driver === usual || (driver !== undefined && driver !== "cex4queue" && driver !== "vfio_ap")) return;
    if (this.#drivers.has(usual)) this.#unbound.set(usual, [...(this.#unbound.get(usual) ?? []), `${queue}\n`]);
    if (driver !== undefined) this.#bound.set(driver, [...(this.#bound.get(driver) ?? []), `${queue}\n`]);
  }

  get attributes(): Attributes {
    const entries = (what: "bind" | "unbind", drivers: ReadonlyMap<string, string[]>): Attributes =>
      ["cex4queue", "vfio_ap"].flatMap((driver) => {
        const texts = drivers.get(driver);
        return texts ? [{ path: `/sys/bus/ap/drivers/${driver}/${what}`, texts }] : [];
      });
    return [...entries("unbind", this.#unbound), ...entries("bind", this.#bound)];
  }
}
