// The messages of a conversation are a tree: an edited message or another reply is a further child of the same parent.
// What is shown is one branch, from the beginning to a leaf.

export interface Node {
  id: number;
  parent: number | null;
}

export class Tree {
  private readonly nodes = new Map<number, Node>();
  private readonly children = new Map<number | null, number[]>();

  constructor(nodes: Iterable<Node>) {
    for (const node of nodes) this.nodes.set(node.id, node);
    for (const id of [...this.nodes.keys()].sort((a, b) => a - b)) {
      const parent = this.parentOf(id);
      const siblings = this.children.get(parent);
      if (siblings) siblings.push(id);
      else this.children.set(parent, [id]);
    }
  }

  get size() {
    return this.nodes.size;
  }

  has(id: number) {
    return this.nodes.has(id);
  }

  /** null: it begins the conversation, or what it followed is not there. */
  parentOf(id: number): number | null {
    const parent = this.nodes.get(id)?.parent ?? null;
    return parent !== null && this.nodes.has(parent) ? parent : null;
  }

  /** With itself, in the order in which they came to be. */
  siblingsOf(id: number): readonly number[] {
    return this.children.get(this.parentOf(id)) ?? [];
  }

  childrenOf(id: number): readonly number[] {
    return this.children.get(id) ?? [];
  }

  /** The end of the branch that goes on from this message by the newest of each level. */
  leafOf(id: number): number {
    for (;;) {
      const last = this.children.get(id)?.at(-1);
      if (last === undefined) return id;
      id = last;
    }
  }

  /** The ids from the beginning to the leaf. An unknown leaf is replaced by the newest message there is. */
  branchTo(leaf: number | null): number[] {
    let at: number | null = leaf !== null && this.nodes.has(leaf) ? leaf : this.newest();
    const branch: number[] = [];
    while (at !== null) {
      branch.push(at);
      at = this.parentOf(at);
    }
    return branch.reverse();
  }

  private newest(): number | null {
    let newest: number | null = null;
    for (const id of this.nodes.keys()) if (newest === null || id > newest) newest = id;
    return newest;
  }
}

/** Whether two branches are the same messages. */
export function sameBranch(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((id, i) => id === b[i]);
}
