/** Files as a tree: folders first, each with the size of all that is in it. */

import { inNaturalOrder } from "../../format/order";
import type { Entry } from "./owner";

export interface Node {
  name: string;
  path: string;
  size: number;
  /** Files below; 1 for a file. */
  files: number;
  entry: Entry | null;
  children: Node[];
}

export function buildTree(entries: readonly Entry[]): Node {
  const root: Node = { name: "", path: "", size: 0, files: 0, entry: null, children: [] };
  const folders = new Map<string, Node>([["", root]]);
  const folder = (path: string): Node => {
    const held = folders.get(path);
    if (held) return held;
    const at = path.lastIndexOf("/");
    const node: Node = { name: path.slice(at + 1), path, size: 0, files: 0, entry: null, children: [] };
    folders.set(path, node);
    folder(at < 0 ? "" : path.slice(0, at)).children.push(node);
    return node;
  };
  for (const entry of entries) {
    const at = entry.path.lastIndexOf("/");
    const parent = at < 0 ? "" : entry.path.slice(0, at);
    folder(parent).children.push({
      name: entry.path.slice(at + 1),
      path: entry.path,
      size: entry.file_size,
      files: 1,
      entry,
      children: [],
    });
    for (let path = parent; ; path = path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : "") {
      const node = folder(path);
      node.size += entry.file_size;
      node.files += 1;
      if (path === "") break;
    }
  }
  sort(root);
  return root;
}

function sort(node: Node): void {
  // Folders first.
  node.children = inNaturalOrder(node.children, ({ name }) => name).sort(
    (a, b) => Number(a.entry !== null) - Number(b.entry !== null),
  );
  node.children.forEach(sort);
}

export interface Line {
  node: Node;
  depth: number;
}

/** What is to be seen with these folders open. */
export function openLines(root: Node, open: ReadonlySet<string>, depth = 0): Line[] {
  return root.children.flatMap((node) => [
    { node, depth },
    ...(open.has(node.path) ? openLines(node, open, depth + 1) : []),
  ]);
}

const TELLING = [/(^|\/)MLmodel$/, /\.(png|jpe?g|webp|svg)$/i, /\.(md|txt|html?)$/i, /\.(csv|json|parquet|ya?ml)$/i];

/** The file that tells most of a run: its model, else a picture, else a text, else a table. */
export function telling(entries: readonly Entry[]): Entry | undefined {
  const own = entries.filter(({ path }) => !path.startsWith("environment/"));
  return TELLING.map((pattern) => own.find(({ path }) => pattern.test(path))).find((one) => one !== undefined);
}

/** The folders that a path lies in. */
export function foldersOf(path: string): string[] {
  const parts = path.split("/").slice(0, -1);
  return parts.map((_, i) => parts.slice(0, i + 1).join("/"));
}
