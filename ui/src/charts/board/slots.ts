/** What each kind of chart is made of. */

import { parseColumn, type ColumnRef } from "../../runs/view";
import type { ChartKind } from "./settings";

export interface Slot {
  label: string;
  optional?: boolean;
  /** Takes more than one column; only the last slot does. */
  many?: boolean;
  numbers?: boolean;
}

export const KIND_TEXT: Record<ChartKind, string> = {
  line: "Curves",
  scatter: "Scatter",
  parallel: "Parallel coordinates",
  contour: "Contour",
  bar: "Bars",
  box: "Boxes",
  histogram: "Histogram",
  importance: "What matters",
};

export const SLOTS: Record<ChartKind, readonly Slot[]> = {
  line: [{ label: "Metrics", many: true }],
  scatter: [{ label: "Across" }, { label: "Up" }, { label: "Colour", optional: true }],
  parallel: [{ label: "Axes, the last one gives the colour", many: true }],
  contour: [{ label: "Across" }, { label: "Up" }, { label: "Height" }],
  bar: [{ label: "Value" }],
  box: [{ label: "Value" }, { label: "For each", optional: true }],
  histogram: [{ label: "Value" }],
  importance: [{ label: "Metric" }],
};

const WORDS = { metric: "metric", param: "param", tag: "tag", attribute: "attribute" } as const;

/** How a column stands in the form: `param lr`. */
export const columnText = ({ kind, key }: ColumnRef): string => `${kind} ${key}`;

/** Reads what was typed: with its kind in front, or a key alone that is known. */
export function readColumn(text: string, known: readonly ColumnRef[]): ColumnRef | null {
  const wanted = text.trim();
  if (wanted === "") return null;
  const match = /^(\w+)\s+([^]+)$/.exec(wanted);
  if (match && match[1]! in WORDS) return { kind: match[1] as ColumnRef["kind"], key: match[2]! };
  return known.find(({ key }) => key === wanted) ?? parseColumn(wanted);
}

/** What is wrong with the columns of a chart; empty when nothing is. */
export function problemWith(kind: ChartKind, texts: readonly string[], columns: readonly (ColumnRef | null)[]): string {
  const unknown = texts.find((text, i) => text.trim() !== "" && !columns[i]);
  if (unknown !== undefined) return `There is no metric or param ${unknown}`;
  const slots = SLOTS[kind];
  const missing = slots.find(({ optional }, i) => !optional && !columns[i]);
  if (missing) return `${missing.label} is missing`;
  if (kind === "parallel" && columns.filter(Boolean).length < 2) return "Parallel coordinates need two axes";
  if (kind === "line" && columns.some((column) => column && column.kind !== "metric")) return "Curves are of metrics";
  return "";
}
