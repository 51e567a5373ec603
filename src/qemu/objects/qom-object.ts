/**
 * The tree of a virtual machine's objects. An object has the properties of its type, of which only those differ from the default that
 * stand in `values`, and children by name.
 */
export class QomObject {
  readonly children = new Map<string, QomObject>();
  readonly values: Map<string, unknown>;
  #parent: QomObject | undefined;
  #name = "";

  constructor(
    readonly type: string,
    values: Readonly<Record<string, unknown>> = {},
  ) {
    this.values = new Map(Object.entries(values));
  }

  /** Absolute; "/" for the root. */
  get path(): string {
    if (!this.#parent) return "/";
    const above = this.#parent.path;
    return above === "/" ? `/${this.#name}` : `${above}/${this.#name}`;
  }

  /** `name` may end in `[*]`: the first number that is free. */
  add<T extends QomObject>(name: string, child: T): T {
    const free = name.endsWith("[*]") ? this.#numbered(name.slice(0, -"[*]".length)) : name;
    this.children.set(free, child);
    child.attach(this, free);
    return child;
  }

  /** Takes this object out of the tree; its path stays what it was. */
  remove(): void {
    this.#parent?.children.delete(this.#name);
  }

  protected attach(parent: QomObject, name: string): void {
    this.#parent = parent;
    this.#name = name;
  }

  #numbered(stem: string): string {
    for (let number = 0; ; number++) {
      const name = `${stem}[${number}]`;
      if (!this.children.has(name)) return name;
    }
  }
}

/** A bus: devices may be put on it. */
export class QomBus extends QomObject {
  readonly devices: QomDevice[] = [];

  constructor(
    type: string,
    /** As `bus=` names it. */
    readonly busName: string,
    readonly limits: { readonly maxDevices?: number; readonly isHotpluggable?: boolean } = {},
  ) {
    super(type);
  }

  get isFull(): boolean {
    return this.limits.maxDevices !== undefined && this.devices.length >= this.limits.maxDevices;
  }
}

export class QomDevice extends QomObject {
  /** What it was asked for with; in the order of the properties. */
  options: ReadonlyMap<string, unknown> = new Map();
  readonly buses: QomBus[] = [];
  isBeingUnplugged = false;

  constructor(
    type: string,
    readonly id?: string,
    readonly bus?: QomBus,
  ) {
    super(type);
    bus?.devices.push(this);
  }

  addBus(bus: QomBus): QomBus {
    this.buses.push(bus);
    return this.add(bus.busName, bus);
  }

  override remove(): void {
    super.remove();
    const at = this.bus?.devices.indexOf(this) ?? -1;
    if (at >= 0) this.bus?.devices.splice(at, 1);
  }
}
