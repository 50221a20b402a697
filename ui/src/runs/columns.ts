/** Which columns the table has, how they are called, and how their figures read. */

import type { Schemas } from "../api/client";
import { decimalsFor, toNumber } from "../format/figures";
import { columnId, type ColumnRef } from "./view";

export type RunKey = Schemas["RunKey"];

/** What every run has. */
export const ATTRIBUTES = [
  ["status", "Status", 124],
  ["start_time", "Started", 96],
  ["duration", "Duration", 92],
  ["user_id", "User", 92],
  ["end_time", "Ended", 96],
  ["run_id", "Id", 88],
] as const;

const ATTRIBUTE_NAMES = new Map<string, string>(ATTRIBUTES.map(([key, name]) => [key, name]));
const ATTRIBUTE_WIDTHS = new Map<string, number>(ATTRIBUTES.map(([key, , width]) => [key, width]));

export const NAME_WIDTH = 274;
export const MIN_WIDTH = 48;
const CURVE_WIDTH = 110;
const CHARACTER = 7;
const DELTA_WIDTH = 56;

/** What a column is called in its head. */
export const columnLabel = (column: ColumnRef): string =>
  column.kind === "attribute" ? (ATTRIBUTE_NAMES.get(column.key) ?? column.key) : column.key;

/** What it stands under. */
export const groupLabel = (column: ColumnRef): string =>
  ({ attribute: "Attributes", param: "Params", metric: "Metrics", tag: "Tags" })[column.kind];

export const isNumeric = (column: ColumnRef, numericParams: ReadonlySet<string>): boolean =>
  (column.kind === "metric" && column.aggregate !== "curve") ||
  (column.kind === "param" && numericParams.has(column.key)) ||
  (column.kind === "attribute" && column.key !== "status" && column.key !== "user_id" && column.key !== "run_id");

/** The width of a column: the visitor's, else one that its head fits in. */
export function widthOf(column: ColumnRef, widths: Readonly<Record<string, number>>, withDelta: boolean): number {
  const chosen = widths[columnId(column)];
  if (chosen !== undefined) return Math.max(MIN_WIDTH, chosen);
  if (column.kind === "attribute") return ATTRIBUTE_WIDTHS.get(column.key) ?? 96;
  if (column.aggregate === "curve") return CURVE_WIDTH;
  const head = Math.min(24, column.key.length) * CHARACTER + 30;
  if (column.kind !== "metric") return Math.max(76, Math.min(200, head));
  return withDelta ? Math.max(140, Math.min(240, head + DELTA_WIDTH)) : Math.max(84, Math.min(200, head));
}

const FEW = { param: 5, metric: 6, tag: 2 } as const;
const MACHINE = /^(system|mlflow|stele)[./]/;

/** Columns for a visitor who chose none: attributes, then the most frequent keys of each kind. */
export function usualColumns(keys: readonly RunKey[]): ColumnRef[] {
  const some = (kind: "param" | "metric" | "tag"): ColumnRef[] =>
    keys
      .filter((key) => key.kind === kind && !MACHINE.test(key.name))
      .slice(0, FEW[kind])
      .map(({ name }) => ({ kind, key: name }));
  const attributes = ["status", "start_time", "duration"].map((key): ColumnRef => ({ kind: "attribute", key }));
  return [...attributes, ...some("param"), ...some("metric"), ...some("tag")];
}

/** Columns by kind, so that each kind is one group of the head. */
export function inGroups(columns: readonly ColumnRef[]): ColumnRef[] {
  const order = ["attribute", "param", "metric", "tag"];
  return [...columns].sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));
}

/** Decimals of one column from the values that are on the page. */
export const columnDecimals = (values: readonly unknown[]): number =>
  decimalsFor(values.map(toNumber).filter((value): value is number => value !== null));

export type Goal = "up" | "down" | null;

const SMALL =
  /(^|[^a-z])(loss|error|err|rmse|mse|mae|mape|nll|perplexity|ppl|wer|cer|ece|fid|latency|time|ms|seconds|cost)([^a-z]|$)/i;
const LARGE =
  /(^|[^a-z])(acc|accuracy|auc|auroc|f1|precision|recall|top1|top5|r2|score|map|ndcg|bleu|rouge|iou|dice|reward|return|throughput|samples_per_second|images_per_s)([^a-z]|$)/i;

/** Which way a metric is better, judged by its name; null when that is not known. */
export function goalOf(metric: string): Goal {
  if (SMALL.test(metric)) return "down";
  return LARGE.test(metric) ? "up" : null;
}
