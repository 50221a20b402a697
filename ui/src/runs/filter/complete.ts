/** What the filter bar proposes. */

import type { RunKey } from "../columns";
import { fieldName, type ColumnRef } from "../view";
import { literal } from "./literal";
import type { Context } from "./tokens";

export interface Proposal {
  text: string;
  /** Under which head it stands. */
  group: string;
  icon: "num" | "abc" | "tag" | "chart" | "doc" | "filter";
  note?: string;
  /** The column that the side panel describes. */
  column?: ColumnRef;
}

const ATTRIBUTES = ["run_name", "status", "start_time", "end_time", "duration", "user_id", "run_id", "artifact_uri"];
const NUMERIC_ATTRIBUTES = new Set(["start_time", "end_time", "duration"]);
const KINDS = { metric: "Metrics", param: "Params", tag: "Tags" } as const;
const MOST = 50;

const strip = (typed: string): string =>
  typed.replace(/^(metrics?|params?|tags?|attributes?)\./i, "").replace(/^[`"]|[`"]$/g, "");

/** Keys whose name begins with what is typed first, then those that contain it. */
export function proposeKeys(typed: string, keys: readonly RunKey[], count: (runs: number) => string): Proposal[] {
  const prefix = /^(metric|param|tag|attribute)s?\./i.exec(typed)?.[1]?.toLowerCase();
  const wanted = strip(typed).toLowerCase();
  const attributes = prefix && prefix !== "attribute" ? [] : ATTRIBUTES.filter((name) => name.includes(wanted));
  const beginning: Proposal[] = [];
  const containing: Proposal[] = [];
  for (const key of keys) {
    if (prefix && key.kind !== prefix) continue;
    const name = key.name.toLowerCase();
    const at = name.indexOf(wanted);
    if (at < 0) continue;
    const column: ColumnRef = { kind: key.kind, key: key.name };
    const proposal: Proposal = {
      text: fieldName(column),
      group: at === 0 ? KINDS[key.kind] : `Contains “${wanted}”`,
      icon: key.kind === "tag" ? "tag" : key.kind === "metric" || key.numeric ? "num" : "abc",
      note: count(key.runs),
      column,
    };
    (at === 0 ? beginning : containing).push(proposal);
  }
  const own = attributes.map((name): Proposal => ({ text: `attributes.${name}`, group: "Attributes", icon: "doc" }));
  const order = ["Metrics", "Params", "Tags"];
  beginning.sort((a, b) => order.indexOf(a.group) - order.indexOf(b.group));
  return [...beginning.slice(0, MOST), ...own, ...containing.slice(0, MOST)];
}

/** The column that a key of a filter names, if it is one. */
export function columnOf(key: string): ColumnRef | null {
  const match = /^(metric|param|tag|attribute)s?\.([^]+)$/i.exec(key);
  if (match) return { kind: match[1]!.toLowerCase() as ColumnRef["kind"], key: strip(key) };
  return ATTRIBUTES.includes(key) ? { kind: "attribute", key } : null;
}

const NUMBER_OPERATORS = [">", ">=", "<", "<=", "=", "!=", "between", "is null", "is not null"];
const TEXT_OPERATORS = ["=", "!=", "like", "ilike", "rlike", "in", "is null", "is not null"];
const BOTH = ["=", "!=", ">", "<", ">=", "<=", "like", "ilike", "in", "is null", "is not null"];

/** Operators that fit the key before the caret. */
export function proposeOperators(context: Context, keys: readonly RunKey[]): Proposal[] {
  const column = columnOf(context.key);
  const known = keys.find((key) => key.kind === column?.kind && key.name === column.key);
  const numeric = column?.kind === "metric" || NUMERIC_ATTRIBUTES.has(column?.key ?? "");
  const operators = numeric ? NUMBER_OPERATORS : known?.kind === "param" && known.numeric ? BOTH : TEXT_OPERATORS;
  return operators
    .filter((operator) => operator.startsWith(context.typed.toLowerCase()))
    .map((text) => ({ text, group: "Operators", icon: "filter" }));
}

const STATUSES = ["RUNNING", "FINISHED", "FAILED", "KILLED", "SCHEDULED"];

/** Values of the key before the caret, from the ones that runs have. */
export function proposeValues(
  context: Context,
  common: readonly { value: unknown; runs: number }[],
  count: (runs: number) => string,
): Proposal[] {
  const column = columnOf(context.key);
  const wanted = context.typed.replace(/^['"]|['"]$/g, "").toLowerCase();
  if (column?.key === "status")
    return STATUSES.filter((status) => status.toLowerCase().startsWith(wanted)).map((status) => ({
      text: literal(status),
      group: "Status",
      icon: "abc",
    }));
  return common
    .filter(({ value }) => String(value).toLowerCase().includes(wanted))
    .map(({ value, runs }) => ({
      text: column?.kind === "metric" || typeof value === "number" ? String(value) : literal(String(value)),
      group: "Values",
      icon: typeof value === "number" ? "num" : "abc",
      note: count(runs),
    }));
}

export const proposeJoins = (context: Context): Proposal[] =>
  ["and", "or"]
    .filter((join) => join.startsWith(context.typed.toLowerCase()))
    .map((text) => ({ text, group: "Go on", icon: "filter" }));

/** The filter with a proposal in the place of what is typed, and where the caret is then. */
export function accept(text: string, context: Context, proposal: string): { text: string; caret: number } {
  const after = text.slice(context.end).replace(/^ ?/, " ");
  const before = text.slice(0, context.start) + proposal;
  return { text: (before + after).trimEnd() + " ", caret: before.length + 1 };
}

/** The key that was probably meant: the one that takes the fewest changes, if few. */
export function nearest(name: string, names: readonly string[]): string | null {
  let best: string | null = null;
  let least = Math.max(1, Math.floor(name.length / 3)) + 1;
  for (const other of names) {
    if (Math.abs(other.length - name.length) >= least) continue;
    const changes = distance(name.toLowerCase(), other.toLowerCase());
    if (changes < least) [best, least] = [other, changes];
  }
  return best;
}

/** Levenshtein's distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(next[j - 1]! + 1, row[j]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
    }
    row = next;
  }
  return row[b.length]!;
}
