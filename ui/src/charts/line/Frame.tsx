/** The axes of a line chart, below its curves, and the marks above them. */

import { count } from "../../format/figures";
import type { XAxis } from "../data/series";
import { durationTick, ticksOf, tickTexts, timeTick, timeTicks } from "../math/scales";
import type { Axes, DrawnLine } from "./model";
import type { Plot } from "./paint";

const TICK_ROOM = 64;

export function xTicks(axes: Pick<Axes, "x" | "logX">, axis: XAxis, width: number): { at: number; text: string }[] {
  const wanted = Math.max(2, Math.floor(width / TICK_ROOM));
  const [low, high] = axes.x;
  if (axis === "step" || axes.logX) {
    const found = ticksOf({ domain: axes.x, log: axes.logX }, wanted).filter(
      (value) => axis !== "step" || Number.isInteger(value),
    );
    const texts = axis === "step" ? tickTexts(found, axes.logX) : found.map(durationTick);
    return found.map((at, i) => ({ at, text: texts[i]! }));
  }
  const absolute = axis === "time";
  const found = timeTicks([low, high], wanted, absolute);
  const step = found.length > 1 ? found[1]! - found[0]! : high - low;
  return found.map((at) => ({ at, text: absolute ? timeTick(at, step) : durationTick(at) }));
}

export function yTicks(axes: Axes, height: number): { at: number; text: string }[] {
  const found = ticksOf({ domain: axes.y, log: axes.logY }, Math.max(2, Math.round(height / 48)));
  const texts = tickTexts(found, axes.logY);
  return found.map((at, i) => ({ at, text: texts[i]! }));
}

export function Frame({
  plot,
  across,
  down,
}: {
  plot: Plot;
  across: { at: number; text: string }[];
  down: { at: number; text: string }[];
}) {
  const end = plot.width - plot.right;
  const bottom = plot.height - plot.bottom;
  return (
    <svg className="chart layer" width={plot.width} height={plot.height} aria-hidden="true">
      {down.map(({ at, text }) => {
        const y = plot.y.at(at);
        return (
          <g key={at}>
            <path className="grid" d={`M${plot.left} ${Math.round(y) + 0.5}H${end}`} />
            <text className="tick" x={plot.left - 6} y={y + 3.5} textAnchor="end">
              {text}
            </text>
          </g>
        );
      })}
      {across.map(({ at, text }) => {
        const x = plot.x.at(at);
        const anchor = x > end - 14 ? "end" : x < plot.left + 10 ? "start" : "middle";
        return (
          <text key={at} className="tick" x={x} y={plot.height - 5} textAnchor={anchor}>
            {text}
          </text>
        );
      })}
      <path className="axis" d={`M${plot.left} ${bottom + 0.5}H${end}`} />
    </svg>
  );
}

const LABELS = 4;
const LABEL_HEIGHT = 12;
const MARKS = 12;

/** Whether lines are few enough to be named at their ends; one alone is named by the page. */
export const isLabelled = (lines: readonly DrawnLine[]): boolean => lines.length > 1 && lines.length <= LABELS;

/** Where labels stand: at the ends of their lines, and never on each other. */
export function spread(wanted: readonly number[], top: number, bottom: number, height = LABEL_HEIGHT): number[] {
  const order = wanted.map((_, i) => i).sort((a, b) => wanted[a]! - wanted[b]!);
  const out = [...wanted];
  let least = top;
  for (const i of order) {
    out[i] = Math.max(least, out[i]!);
    least = out[i]! + height;
  }
  let most = bottom;
  for (const i of order.reverse()) {
    out[i] = Math.min(most, out[i]!);
    most = out[i]! - height;
  }
  return out;
}

export function Marks({ plot, lines, axes }: { plot: Plot; lines: readonly DrawnLine[]; axes: Axes }) {
  const end = plot.width - plot.right;
  const bottom = plot.height - plot.bottom;
  const inside = (y: number) => Math.max(plot.top, Math.min(bottom, y));
  const broken = lines.filter((line) => line.broken);
  return (
    <svg className="chart layer" width={plot.width} height={plot.height} aria-hidden="true">
      {broken.map((line, i) => {
        const x = plot.x.at(line.broken!.x);
        const y = inside(plot.y.at(line.broken!.y));
        if (!(x >= plot.left && x <= end) || Number.isNaN(y)) return null;
        return (
          <g key={line.name}>
            <path className="nanx" d={`M${x - 3.5} ${y - 3.5}l7 7m0-7l-7 7`} />
            {i < MARKS && (
              <text className="tick nant" x={x + 8} y={y + 3.5}>
                {line.broken!.name}
              </text>
            )}
          </g>
        );
      })}
      {lines.map((line) => {
        if (!line.live) return null;
        const last = lastFinite(line);
        const [x, y] = [plot.x.at(line.x[last] ?? NaN), plot.y.at(line.y[last] ?? NaN)];
        if (!(x >= plot.left && x <= end + 1) || Number.isNaN(y)) return null;
        return (
          <circle
            key={line.name}
            className="live"
            style={{ fill: `var(--run-${line.color})` }}
            cx={x}
            cy={inside(y)}
            r={3}
          />
        );
      })}
      {isLabelled(lines) && <EndLabels plot={plot} lines={lines} />}
      <Notch plot={plot} count={axes.above} up />
      <Notch plot={plot} count={axes.below} />
    </svg>
  );
}

function lastFinite(line: DrawnLine): number {
  let last = line.y.length - 1;
  while (last >= 0 && !Number.isFinite(line.y[last])) last--;
  return last;
}

function EndLabels({ plot, lines }: { plot: Plot; lines: readonly DrawnLine[] }) {
  const bottom = plot.height - plot.bottom;
  const ends = lines.map((line) => {
    // In a zoomed chart a line may go on behind the edge.
    let at = lastFinite(line);
    while (at > 0 && line.x[at]! > plot.x.domain[1]) at--;
    const y = plot.y.at(line.y[at] ?? NaN);
    return Number.isNaN(y) ? bottom : Math.max(plot.top, Math.min(bottom, y));
  });
  const places = spread(ends, plot.top, bottom);
  return lines.map((line, i) => (
    <text
      key={line.name}
      className="endl"
      style={{ fill: `var(--run-${line.color})` }}
      x={plot.width - plot.right + 6}
      y={places[i]! + 3.5}
    >
      {shorten(line.name)}
    </text>
  ));
}

/** As much of a name as there is room for beside a curve. */
export const shorten = (name: string, most = 14): string =>
  name.length > most ? `${name.slice(0, most - 1).trimEnd()}…` : name;

/** How many values lie outside, at the edge behind which they are. */
function Notch({ plot, count: left, up }: { plot: Plot; count: number; up?: boolean }) {
  if (left === 0) return null;
  const x = plot.width - plot.right - 4;
  const y = up ? plot.top : plot.height - plot.bottom;
  const tip = up ? -5 : 5;
  return (
    <g className="notch">
      <path d={`M${x - 8} ${y + (up ? 5 : -5)}h8l-4 ${tip}z`} />
      <text className="tick" x={x - 12} y={up ? y + 6 : y - 1} textAnchor="end">
        {count(left)}
      </text>
    </g>
  );
}
