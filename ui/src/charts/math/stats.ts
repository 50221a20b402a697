/** Distributions: bins and boxes. */

import { extent, quantileSorted, ticks } from "d3-array";

export interface Bin {
  from: number;
  to: number;
  count: number;
}

/** About `count` bins of one width whose edges are round; the last one holds its upper edge too. */
export function bins(values: readonly number[], count = 20): Bin[] {
  const finite = values.filter(Number.isFinite);
  const [low, high] = extent(finite);
  if (low === undefined) return [];
  if (low === high) return [{ from: low, to: high, count: finite.length }];
  const inner = ticks(low, high, count);
  const step = inner.length > 1 ? inner[1]! - inner[0]! : high - low;
  const edges = [...inner];
  if (edges[0]! > low) edges.unshift(edges[0]! - step);
  if (edges[edges.length - 1]! < high) edges.push(edges[edges.length - 1]! + step);
  const out = edges.slice(1).map((to, i) => ({ from: edges[i]!, to, count: 0 }));
  for (const value of finite) {
    const at = Math.floor((value - edges[0]!) / step);
    // The division may be off by an epsilon at an edge.
    const bin = at > 0 && value < edges[at]! ? at - 1 : value >= (edges[at + 1] ?? Infinity) ? at + 1 : at;
    out[Math.min(out.length - 1, bin)]!.count++;
  }
  return out;
}

export interface Box {
  count: number;
  min: number;
  q1: number;
  median: number;
  q3: number;
  max: number;
  /** The farthest values within one and a half of the distance between the quartiles. */
  low: number;
  high: number;
  /** What lies farther out. */
  outliers: number[];
}

/** Quartiles of finite values; null when there are none. */
export function box(values: readonly number[]): Box | null {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
  if (sorted.length === 0) return null;
  const q1 = quantileSorted(sorted, 0.25)!;
  const q3 = quantileSorted(sorted, 0.75)!;
  const reach = 1.5 * (q3 - q1);
  const inside = sorted.filter((value) => value >= q1 - reach && value <= q3 + reach);
  return {
    count: sorted.length,
    min: sorted[0]!,
    q1,
    median: quantileSorted(sorted, 0.5)!,
    q3,
    max: sorted[sorted.length - 1]!,
    low: Math.min(q1, inside[0]!),
    high: Math.max(q3, inside[inside.length - 1]!),
    outliers: sorted.filter((value) => value < q1 - reach || value > q3 + reach),
  };
}
