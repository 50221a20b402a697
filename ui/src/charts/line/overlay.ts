/** What moves with the pointer: the cursor, its flag on the axis, dots on the curves, a lifted curve, the drag. */

import { nearestIndex } from "../math/band";
import type { Cursor } from "../board/stage";
import type { DrawnLine } from "./model";
import { clipTo, colorOf, paintLine, prepare, type Palette, type Plot } from "./paint";

/** More dots than this would hide the curves. */
const DOTS = 40;
const FLAG_HEIGHT = 16;
/** Half of the room that the text of a tick takes; what the flag would cut is covered whole. */
const TICK_HALF = 20;

export interface Reading {
  line: DrawnLine;
  index: number;
  value: number;
  /** Pixels from the top. */
  down: number;
}

/** The values of all lines at a place on x; lines that end before or begin behind it have none. */
export function readAt(plot: Plot, lines: readonly DrawnLine[], x: number): Reading[] {
  const across = plot.x.at(x);
  return lines.flatMap((line) => {
    const index = nearestIndex(line.x, x);
    if (index < 0) return [];
    const first = plot.x.at(line.x[0]!);
    const last = plot.x.at(line.x[line.x.length - 1]!);
    if (across < first - 8 || across > last + 8) return [];
    const value = line.y[index]!;
    const down = plot.y.at(value);
    return Number.isFinite(value) && Number.isFinite(down) ? [{ line, index, value, down }] : [];
  });
}

export function paintOverlay(
  canvas: HTMLCanvasElement,
  plot: Plot,
  lines: readonly DrawnLine[],
  palette: Palette,
  cursor: Cursor | null,
  hovered: string | null,
  flag: (x: number) => string,
  ticks: readonly { at: number }[],
): void {
  const pen = prepare(canvas, plot.width, plot.height);
  const bottom = plot.height - plot.bottom;
  pen.save();
  clipTo(pen, plot);
  pen.lineJoin = "round";
  if (hovered) for (const line of lines) if (line.id === hovered) paintLine(pen, plot, line, palette, 2.25);
  pen.restore();
  if (!cursor) return;
  const across = Math.round(plot.x.at(cursor.x)) + 0.5;
  if (!(across >= plot.left - 1 && across <= plot.width - plot.right + 1)) return;
  if (cursor.from !== null) paintDrag(pen, plot, palette, plot.x.at(cursor.from), across);
  pen.strokeStyle = palette.muted;
  pen.lineWidth = 1;
  pen.beginPath();
  pen.moveTo(across, plot.top);
  pen.lineTo(across, bottom);
  pen.stroke();
  const readings = readAt(plot, lines, cursor.x);
  if (readings.length <= DOTS) for (const reading of readings) paintDot(pen, plot, palette, reading, across);
  paintFlag(pen, plot, palette, flag(cursor.x), across, ticks);
}

function paintDrag(pen: CanvasRenderingContext2D, plot: Plot, palette: Palette, from: number, to: number): void {
  pen.fillStyle = palette.halo;
  pen.fillRect(Math.min(from, to), plot.top, Math.abs(to - from), plot.height - plot.top - plot.bottom);
}

function paintDot(
  pen: CanvasRenderingContext2D,
  plot: Plot,
  palette: Palette,
  { line, down }: Reading,
  across: number,
): void {
  if (down < plot.top - 2 || down > plot.height - plot.bottom + 2) return;
  pen.beginPath();
  pen.arc(across, down, 2.8, 0, 2 * Math.PI);
  pen.fillStyle = colorOf(palette, line.color);
  pen.fill();
  pen.strokeStyle = palette.surface;
  pen.lineWidth = 1.5;
  pen.stroke();
}

function paintFlag(
  pen: CanvasRenderingContext2D,
  plot: Plot,
  palette: Palette,
  text: string,
  across: number,
  ticks: readonly { at: number }[],
): void {
  pen.font = `10.5px ${palette.font}`;
  const width = Math.max(30, Math.ceil(pen.measureText(text).width) + 12);
  const left = Math.max(0, Math.min(plot.width - width, across - width / 2));
  const top = plot.height - plot.bottom + 1.5;
  pen.fillStyle = palette.surface;
  for (const { at } of ticks) {
    const x = plot.x.at(at);
    if (x + TICK_HALF > left && x - TICK_HALF < left + width)
      pen.fillRect(x - TICK_HALF, top, 2 * TICK_HALF, FLAG_HEIGHT);
  }
  pen.fillStyle = palette.invert;
  pen.beginPath();
  pen.roundRect(left, top, width, FLAG_HEIGHT, 3);
  pen.fill();
  pen.fillStyle = palette.onInvert;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.fillText(text, left + width / 2, top + FLAG_HEIGHT / 2 + 0.5);
}
