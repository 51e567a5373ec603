import type { Attribute, AttributeTable } from "./attribute.ts";

/**
 * The nodes of the tree: directories, links and attributes. A directory stands for a kobject: attribute tables are attached
 * to it and detached again, attribute nodes are made when first looked up. The tree knows nothing of AP or of FUSE; one
 * observer hears of every change, in order.
 */
export interface TreeObserver {
  /** The text of an attribute may be another one now. */
  changed(node: AttributeNode): void;
  added(directory: Directory, name: string): void;
  /** `node` is undefined when nobody ever looked it up. */
  removed(directory: Directory, name: string, node: TreeNode | undefined): void;
}

export type TreeNode = Directory | Link | AttributeNode;

abstract class Node {
  /** For the server of the tree: its number for this node, 0 while its client knows nothing of it. */
  handle = 0;
  /** For the server: the client may hold this attribute's text. */
  isCached = false;
}

export class AttributeNode extends Node {
  readonly kind = "attribute";

  constructor(
    readonly parent: Directory,
    readonly attribute: Attribute<unknown>,
    readonly owner: unknown,
  ) {
    super();
  }

  get name(): string {
    return this.attribute.name;
  }

  /** Read-only and of constant length: what a client may keep until told otherwise. */
  get isCacheable(): boolean {
    return this.attribute.length === "constant" && this.attribute.store === undefined;
  }
}

export class Link extends Node {
  readonly kind = "link";

  constructor(
    readonly parent: Directory,
    readonly name: string,
    readonly target: Directory,
  ) {
    super();
  }

  /** The relative path from the link's directory to its target, as the kernel makes it: it always ends in the target's name. */
  get text(): string {
    const from = this.parent.ancestry;
    const to = this.target.ancestry;
    let common = 0;
    while (common < from.length && common < to.length - 1 && from[common] === to[common]) common++;
    const names = to.slice(common).map((directory) => directory.name);
    return [...from.slice(common).map(() => ".."), ...names].join("/");
  }
}

interface BoundTable {
  readonly table: AttributeTable<unknown>;
  readonly owner: unknown;
}

export class Directory extends Node {
  readonly kind = "directory";
  parent: Directory | undefined;
  /** What its parent calls it: not its name if it is the root of a tree of its own. */
  entryName: string;
  #tables: BoundTable[] = [];
  #children: Map<string, Directory | Link> | undefined;
  #attributes: Map<string, AttributeNode> | undefined;
  #observer: TreeObserver | undefined;

  constructor(
    readonly name: string,
    readonly mode = 0o755,
  ) {
    super();
    this.entryName = name;
  }

  /** The path from the root of its tree, which has no name, such as `/devices/ap`. */
  get path(): string {
    const names: string[] = [];
    for (let at: Directory | undefined = this; at && at.name !== ""; at = at.parent) names.unshift(at.name);
    return `/${names.join("/")}`;
  }

  /** Root first, this directory last. */
  get ancestry(): Directory[] {
    const path: Directory[] = [];
    for (let at: Directory | undefined = this; at; at = at.parent) path.unshift(at);
    return path;
  }

  /** Set on a root: hears of every change below it. */
  set observer(observer: TreeObserver | undefined) {
    this.#observer = observer;
  }

  attach<Owner>(table: AttributeTable<Owner>, owner: Owner): void {
    this.#tables.push({ table: table as AttributeTable<unknown>, owner });
    const observer = this.#findObserver();
    if (observer) for (const name of table.keys()) observer.added(this, name);
  }

  detach<Owner>(table: AttributeTable<Owner>): void {
    const index = this.#tables.findIndex((bound) => bound.table === (table as AttributeTable<unknown>));
    if (index < 0) return;
    this.#tables.splice(index, 1);
    const observer = this.#findObserver();
    for (const name of table.keys()) this.#forgetAttribute(name, observer);
  }

  /** Takes one attribute of an attached table away for good, as a file that removes itself. */
  hide(name: string): void {
    const index = this.#tables.findIndex((bound) => bound.table.has(name));
    if (index < 0) return;
    const bound = this.#tables[index]!;
    this.#tables[index] = { table: new Map([...bound.table].filter(([key]) => key !== name)), owner: bound.owner };
    this.#forgetAttribute(name, this.#findObserver());
  }

  /** Undoes `hide` by attaching the attribute of `table` again. */
  unhide<Owner>(table: AttributeTable<Owner>, name: string, owner: Owner): void {
    const attribute = table.get(name);
    if (attribute && !this.lookup(name)) this.attach(new Map([[name, attribute]]), owner);
  }

  /** Returns what was added. `name` is another name for a directory that is the root of a tree of its own. */
  addDirectory(directory: Directory, name = directory.name): Directory {
    directory.parent = this;
    directory.entryName = name;
    this.#add(directory, name);
    return directory;
  }

  addLink(name: string, target: Directory): void {
    this.#add(new Link(this, name, target), name);
  }

  remove(name: string): void {
    const node = this.#children?.get(name);
    if (!node) return;
    const observer = this.#findObserver();
    this.#children?.delete(name);
    observer?.removed(this, name, node);
  }

  lookup(name: string): TreeNode | undefined {
    const child = this.#children?.get(name);
    if (child) return child;
    const known = this.#attributes?.get(name);
    if (known) return known;
    for (const { table, owner } of this.#tables) {
      const attribute = table.get(name);
      if (!attribute) continue;
      const node = new AttributeNode(this, attribute, owner);
      this.#attributes ??= new Map();
      this.#attributes.set(name, node);
      return node;
    }
    return undefined;
  }

  /** Every name in it, in no particular order. */
  *names(): Generator<string> {
    for (const { table } of this.#tables) yield* table.keys();
    if (this.#children) yield* this.#children.keys();
  }

  /** Directories and links below this one, not attributes. */
  get children(): Iterable<Directory | Link> {
    return this.#children?.values() ?? [];
  }

  /** Kind of an entry and its permission bits without making a node for it. */
  describe(name: string): { kind: TreeNode["kind"]; mode: number } | undefined {
    const child = this.#children?.get(name);
    if (child) return { kind: child.kind, mode: child.kind === "link" ? 0o777 : child.mode };
    for (const { table } of this.#tables) {
      const attribute = table.get(name);
      if (attribute) return { kind: "attribute", mode: attribute.mode };
    }
    return undefined;
  }

  /** Says that the text of an attribute may be another one now. Does nothing when nobody ever looked it up. */
  changed(name: string): void {
    const node = this.#attributes?.get(name);
    if (node) this.#findObserver()?.changed(node);
  }

  #add(node: Directory | Link, name: string): void {
    this.#children ??= new Map();
    this.#children.set(name, node);
    this.#findObserver()?.added(this, name);
  }

  #forgetAttribute(name: string, observer: TreeObserver | undefined): void {
    const node = this.#attributes?.get(name);
    this.#attributes?.delete(name);
    observer?.removed(this, name, node);
  }

  #findObserver(): TreeObserver | undefined {
    let top: Directory = this;
    while (top.parent) top = top.parent;
    return top.#observer;
  }
}
