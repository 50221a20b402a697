/** Draws curves on canvas. Axes and marks are SVG and stand below and above. */

import type { Scale } from "../math/scales";
import { indexRange, type DrawnLine } from "./model";

/** Colours of the theme as canvases take them. */
export interface Palette {
  runs: readonly string[];
  text: string;
  muted: string;
  dim: string;
  surface: string;
  invert: string;
  onInvert: string;
  accent: string;
  halo: string;
  font: string;
}

export interface Plot {
  width: number;
  height: number;
  left: number;
  right: number;
  top: number;
  bottom: number;
  x: Scale;
  y: Scale;
}

export const DASHES: readonly (readonly number[])[] = [[], [6, 3], [2, 3]];
/** Raw curves behind smoothed ones, and the extremes of buckets behind their means. */
const [BEHIND, EXTREMES] = [0.22, 0.35];
const dashOf = (index: number): number[] => [...(DASHES[Math.min(index, DASHES.length - 1)] ?? [])];

export const colorOf = (palette: Palette, color: number): string => palette.runs[color - 1] ?? palette.text;

/** A canvas of so many CSS pixels, cleared, ready to be drawn on in these. */
export function prepare(canvas: HTMLCanvasElement, width: number, height: number): CanvasRenderingContext2D {
  const ratio = window.devicePixelRatio || 1;
  const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== wide || canvas.height !== high) {
    canvas.width = wide;
    canvas.height = high;
  }
  const pen = canvas.getContext("2d")!;
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  return pen;
}

/** Everything that is drawn stays inside of the axes. */
export function clipTo(pen: CanvasRenderingContext2D, plot: Plot): void {
  pen.beginPath();
  pen.rect(plot.left, plot.top - 1, plot.width - plot.left - plot.right, plot.height - plot.top - plot.bottom + 2);
  pen.clip();
}

export function paintLines(canvas: HTMLCanvasElement, plot: Plot, lines: readonly DrawnLine[], palette: Palette): void {
  const pen = prepare(canvas, plot.width, plot.height);
  pen.save();
  clipTo(pen, plot);
  pen.lineJoin = "round";
  for (const line of lines) if (line.band) paintBand(pen, plot, line, palette);
  for (const line of lines) if (line.smoothed) paintRaw(pen, plot, line, palette, BEHIND);
  for (const line of lines) paintLine(pen, plot, line, palette);
  pen.restore();
}

/** One line with all that belongs to it; also what hovering lifts. */
export function paintLine(
  pen: CanvasRenderingContext2D,
  plot: Plot,
  line: DrawnLine,
  palette: Palette,
  width = line.wide ? 2 : 1.5,
): void {
  if (!line.smoothed && line.raw) paintRaw(pen, plot, line, palette, EXTREMES);
  pen.strokeStyle = colorOf(palette, line.color);
  pen.lineWidth = width;
  pen.setLineDash(dashOf(line.dash));
  pen.stroke(pathOf(plot, line));
  pen.setLineDash([]);
}

function pathOf(plot: Plot, { x, y }: DrawnLine): Path2D {
  const path = new Path2D();
  const [from, to] = indexRange(x, plot.x.domain);
  let drawing = false;
  let alone = NaN;
  for (let i = from; i < to; i++) {
    const across = plot.x.at(x[i]!);
    const down = plot.y.at(y[i]!);
    if (Number.isNaN(across) || Number.isNaN(down)) {
      if (!Number.isNaN(alone)) path.lineTo(alone + 0.01, plot.y.at(y[i - 1]!));
      drawing = false;
      alone = NaN;
      continue;
    }
    if (drawing) {
      path.lineTo(across, down);
      alone = NaN;
    } else {
      path.moveTo(across, down);
      alone = across;
    }
    drawing = true;
  }
  // A point without neighbours would have no length and so be invisible.
  if (!Number.isNaN(alone)) path.lineTo(alone + 1.5, plot.y.at(y[to - 1]!));
  return path;
}

/** Buckets with their extremes: down and up in each, on the shorter way from the one before. No spike is lost. */
function paintRaw(pen: CanvasRenderingContext2D, plot: Plot, line: DrawnLine, palette: Palette, alpha: number): void {
  const { low, high } = line.raw!;
  const path = new Path2D();
  const [from, to] = indexRange(line.x, plot.x.domain);
  const floor = plot.height;
  let held = NaN;
  for (let i = from; i < to; i++) {
    const across = plot.x.at(line.x[i]!);
    let bottom = plot.y.at(low[i]!);
    const top = plot.y.at(high[i]!);
    if (Number.isNaN(bottom) && Number.isFinite(top)) bottom = floor;
    if (!Number.isFinite(across) || !Number.isFinite(bottom) || !Number.isFinite(top)) {
      held = NaN;
      continue;
    }
    const upFirst = Math.abs(held - top) < Math.abs(held - bottom);
    const [first, second] = upFirst ? [top, bottom] : [bottom, top];
    if (Number.isNaN(held)) path.moveTo(across, first);
    else path.lineTo(across, first);
    if (second !== first) path.lineTo(across, second);
    held = second;
  }
  pen.strokeStyle = colorOf(palette, line.color);
  pen.globalAlpha = alpha;
  pen.lineWidth = 1;
  pen.stroke(path);
  pen.globalAlpha = 1;
}

function paintBand(pen: CanvasRenderingContext2D, plot: Plot, line: DrawnLine, palette: Palette): void {
  const { low, high } = line.band!;
  const path = new Path2D();
  const [from, to] = indexRange(line.x, plot.x.domain);
  const floor = plot.height - plot.bottom;
  const reach = (value: number) => {
    const at = plot.y.at(value);
    return Number.isNaN(at) ? floor : at;
  };
  let start = -1;
  const close = (end: number) => {
    for (let i = end - 1; i >= start; i--) path.lineTo(plot.x.at(line.x[i]!), reach(low[i]!));
    path.closePath();
    start = -1;
  };
  for (let i = from; i < to; i++) {
    const across = plot.x.at(line.x[i]!);
    if (Number.isNaN(line.y[i]!) || Number.isNaN(across)) {
      if (start >= 0) close(i);
      continue;
    }
    if (start < 0) {
      path.moveTo(across, reach(high[i]!));
      start = i;
    } else path.lineTo(across, reach(high[i]!));
  }
  if (start >= 0) close(to);
  pen.fillStyle = colorOf(palette, line.color);
  pen.globalAlpha = 0.14;
  pen.fill(path);
  pen.globalAlpha = 1;
}
