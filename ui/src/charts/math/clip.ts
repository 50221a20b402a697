/** Which part of the values an axis shows when a few of them would flatten all others. */

import { quantileSorted } from "d3-array";
import type { Span } from "./scales";

const SAMPLE = 20_000;
const EDGE = 0.02;
const ROOM = 0.5;

/** The least and the greatest finite value; null when there is none. With `positive` only values above zero count. */
export function extentOf(columns: readonly ArrayLike<number>[], positive = false): Span | null {
  let low = Infinity;
  let high = -Infinity;
  for (const values of columns) {
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      if (!Number.isFinite(value) || (positive && value <= 0)) continue;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  return low <= high ? [low, high] : null;
}

/**
 * The range of values without outliers: between the 2nd and the 98th percentile, and half of their distance beyond,
 * but never more than there is.
 */
export function clippedExtent(columns: readonly ArrayLike<number>[], positive = false): Span | null {
  const whole = extentOf(columns, positive);
  if (!whole) return null;
  const total = columns.reduce((sum, values) => sum + values.length, 0);
  const stride = Math.max(1, Math.floor(total / SAMPLE));
  const sample: number[] = [];
  let at = 0;
  for (const values of columns) {
    for (; at < values.length; at += stride) {
      const value = values[at]!;
      if (Number.isFinite(value) && (!positive || value > 0)) sample.push(value);
    }
    at -= values.length;
  }
  sample.sort((a, b) => a - b);
  const low = quantileSorted(sample, EDGE) ?? whole[0];
  const high = quantileSorted(sample, 1 - EDGE) ?? whole[1];
  if (low === high) return whole;
  const room = (high - low) * ROOM;
  return [Math.max(whole[0], low - room), Math.min(whole[1], high + room)];
}

/** How many values lie below and above a range. */
export function outside(columns: readonly ArrayLike<number>[], [low, high]: Span): { below: number; above: number } {
  let below = 0;
  let above = 0;
  for (const values of columns) {
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      if (value < low && value !== -Infinity) below++;
      else if (value > high && value !== Infinity) above++;
    }
  }
  return { below, above };
}
