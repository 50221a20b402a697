/** What a line chart draws: curves from series, and the ranges of its axes. */

import { breakOf, type Curve } from "../data/series";
import type { Shown } from "../data/loader";
import { meanBand } from "../math/band";
import { clippedExtent, extentOf, outside } from "../math/clip";
import { roomy, type Span } from "../math/scales";
import { smooth, type Smoothing } from "../math/smoothing";

/** A run whose curves are drawn. */
export interface DrawnRun {
  runId: string;
  name: string;
  /** Still running: its curves end in a dot. */
  live: boolean;
  /** Of the palette, 1 to 12. */
  color: number;
  /** 0 for a solid line, then the dash patterns. */
  dash: number;
  /** The group it belongs to, when runs are grouped. */
  group: string;
}

export interface Group {
  name: string;
  /** Its values alone, for the end of a curve. */
  label: string;
  color: number;
}

export interface DrawnLine {
  /** The run, or the group; what hovering compares. */
  id: string;
  name: string;
  color: number;
  dash: number;
  wide: boolean;
  x: Float64Array;
  /** Smoothed where that is on; NaN is a gap. */
  y: Float64Array;
  /** The series behind a smoothed line, and the extremes of buckets. */
  raw: { low: Float64Array; high: Float64Array } | null;
  smoothed: boolean;
  band: { low: Float64Array; high: Float64Array } | null;
  /** Where it stopped being finite. */
  broken: { x: number; y: number; name: string } | null;
  live: boolean;
  curve: Curve | null;
}

export interface LineOptions {
  smooth: Smoothing;
  weight: number;
  /** Groups as means with bands. */
  mean: boolean;
}

/** Curves of one or more metrics as lines; with several metrics each one has its own dash. */
export function linesOf(
  shown: readonly Shown[],
  runs: readonly DrawnRun[],
  groups: readonly Group[],
  options: LineOptions,
): DrawnLine[] {
  const known = new Map(runs.map((run) => [run.runId, run]));
  const lines = shown.flatMap(({ curves }, metric) =>
    curves.flatMap((curve) => {
      const run = known.get(curve.runId);
      return run && curve.x.length > 0 ? [lineOf(curve, run, shown.length > 1 ? metric : null, options)] : [];
    }),
  );
  return options.mean && groups.length > 0 ? means(lines, known, groups, shown.length > 1) : lines;
}

function lineOf(curve: Curve, run: DrawnRun, metric: number | null, options: LineOptions): DrawnLine {
  const smoothed = options.smooth !== "off" && options.weight > 0 && curve.x.length > 2;
  const y = smooth(curve.mean, smoothed ? options.smooth : "off", options.weight);
  const stop = breakOf(curve);
  return {
    id: run.runId,
    name: metric === null ? run.name : `${run.name} · ${curve.key}`,
    color: run.color,
    dash: metric ?? run.dash,
    wide: false,
    x: curve.x,
    y,
    raw: smoothed || curve.low !== curve.high ? { low: curve.low, high: curve.high } : null,
    smoothed,
    band: null,
    broken: stop && { x: curve.x[stop.index]!, y: y[stop.index]!, name: stop.name },
    live: run.live && stop === null,
    curve,
  };
}

function means(
  lines: readonly DrawnLine[],
  runs: ReadonlyMap<string, DrawnRun>,
  groups: readonly Group[],
  several: boolean,
): DrawnLine[] {
  const keys = [...new Set(lines.map(({ curve }) => curve!.key))];
  return groups.flatMap((group) =>
    keys.flatMap((key, metric) => {
      const members = lines.filter((line) => line.curve!.key === key && runs.get(line.id)!.group === group.name);
      if (members.length === 0) return [];
      const { x, mean, low, high } = meanBand(members);
      return {
        id: group.name,
        name: several ? `${group.label} · ${key}` : group.label,
        color: group.color,
        dash: several ? metric : 0,
        wide: true,
        x,
        y: mean,
        raw: null,
        smoothed: false,
        band: { low, high },
        broken: null,
        live: false,
        curve: null,
      };
    }),
  );
}

/** The only value of each run, where no series has more than one; null where there are curves to draw. */
export function singleValues(
  lines: readonly DrawnLine[],
): { runId: string; name: string; color: number; value: number }[] | null {
  if (lines.length === 0 || lines.some(({ curve }) => curve?.points !== 1)) return null;
  return lines.map(({ id, name, color, curve }) => ({ runId: id, name, color, value: curve!.last[0]! }));
}

export interface Axes {
  x: Span;
  y: Span;
  logX: boolean;
  logY: boolean;
  /** Values that the y axis leaves out. */
  below: number;
  above: number;
}

/**
 * The ranges that a chart shows; null when there is nothing to show. An axis is logarithmic only when something on it
 * is above zero.
 */
export function axesOf(
  lines: readonly DrawnLine[],
  options: { logX: boolean; logY: boolean; clip: boolean; range: Span | null },
): Axes | null {
  const xs = lines.flatMap(({ x, curve }) => (curve && curve.startX !== curve.x ? [curve.startX, curve.endX] : [x]));
  const positive = options.logX ? extentOf(xs, true) : null;
  const x = options.range ?? positive ?? extentOf(xs);
  if (!x) return null;
  const logX = positive !== null && x[0] > 0;
  const columns = lines.flatMap((line) => {
    const [from, to] = indexRange(line.x, x);
    const { low, high } = line.band ?? line.raw ?? { low: line.y, high: line.y };
    return low === high ? [low.subarray(from, to)] : [low.subarray(from, to), high.subarray(from, to)];
  });
  const above = options.logY ? extentOf(columns, true) : null;
  const logY = above !== null;
  const whole = logY ? above : extentOf(columns);
  const clipped = options.clip ? clippedExtent(columns, logY) : whole;
  if (!clipped) return { x: roomyX(x), y: [0, 1], logX, logY: false, below: 0, above: 0 };
  const y = roomy(clipped, logY);
  const out = options.clip ? outside(columns, y) : { below: 0, above: 0 };
  return { x: roomyX(x), y, logX, logY, below: logY ? 0 : out.below, above: out.above };
}

const roomyX = (x: Span): Span => (x[0] < x[1] ? x : [x[0] - 1, x[1] + 1]);

/** The items inside of a range, and one on each side, so that lines go on to the edge. */
export function indexRange(x: Float64Array, [low, high]: Span): [number, number] {
  return [Math.max(0, firstAbove(x, low, true) - 1), Math.min(x.length, firstAbove(x, high, false) + 1)];
}

function firstAbove(x: Float64Array, limit: number, equal: boolean): number {
  let low = 0;
  let high = x.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (equal ? x[middle]! >= limit : x[middle]! > limit) high = middle;
    else low = middle + 1;
  }
  return low;
}
