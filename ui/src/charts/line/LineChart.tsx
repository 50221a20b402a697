import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { count } from "../../format/figures";
import { Problem } from "../../kit/states";
import { useStage } from "../board/stage";
import type { XAxis } from "../data/series";
import { nearestIndex } from "../math/band";
import { scale } from "../math/scales";
import { BarList } from "./BarList";
import { Frame, isLabelled, Marks, shorten, xTicks, yTicks } from "./Frame";
import { axesOf, linesOf, singleValues, type Axes, type DrawnLine } from "./model";
import { paintOverlay, readAt } from "./overlay";
import { paintLines, type Plot } from "./paint";
import { flagText, Tooltip, type Pointed } from "./Tooltip";
import { useShown, useSize } from "./useShown";
import { Nothing } from "./Nothing";
import { usePointer } from "./usePointer";
import "./line.css";

const [TOP, BOTTOM, RIGHT, LEFT] = [8, 20, 10, 38];
const GLYPH = 5.9;
const FADED = "0.15";

export interface LineChartProps {
  keys: readonly string[];
  name: string;
  logY: boolean;
  clip: boolean;
  mean: boolean;
  /** Hears of lines as they change: for the table behind the picture. */
  onLines?: (lines: readonly DrawnLine[]) => void;
  /** What stands beside the title. */
  onNote: (note: string) => void;
}

/** Curves of a metric, or of some, over the runs of the stage. */
export function LineChart({ keys, name, logY, clip, mean, onLines, onNote }: LineChartProps) {
  const { loader, settings, runs, groups } = useStage();
  const shown = useShown(loader, keys);
  const [box, size] = useSize<HTMLDivElement>();
  const { smooth, weight, logX } = settings;
  const lines = useMemo(
    () => linesOf(shown, runs, groups, { smooth, weight, mean }),
    [shown, runs, groups, smooth, weight, mean],
  );
  useEffect(() => onLines?.(lines), [onLines, lines]);
  // While curves of another axis are on their way, the old ones keep their own.
  const axis = shown[0]!.x;
  const range = axis === settings.x ? settings.range : null;
  const axes = useMemo(() => axesOf(lines, { logX, logY, clip, range }), [lines, logX, logY, clip, range]);
  const note = [mean && "mean ± sd", axes?.logY && "log", logY && axes && !axes.logY && "nothing above 0 for log"];
  const text = note.filter(Boolean).join(" · ");
  useEffect(() => onNote(text), [onNote, text]);
  const failed = shown.find(({ error }) => error);
  const loading = shown.some((one) => one.loading);
  if (failed && lines.length === 0) {
    return (
      <Problem
        what={`${name} could not be read`}
        error={failed.error}
        onRetry={() => keys.forEach((key) => loader.retry(key))}
      />
    );
  }
  const values = singleValues(lines);
  return (
    <div ref={box} className="plot" aria-busy={loading}>
      {values && <BarList rows={values} name={name} />}
      {!values && size.width > 0 && axes && <Drawing lines={lines} axes={axes} axis={axis} size={size} name={name} />}
      {!axes && <Nothing keys={keys} loading={loading} />}
    </div>
  );
}

interface DrawingProps {
  lines: readonly DrawnLine[];
  axes: Axes;
  axis: XAxis;
  size: { width: number; height: number };
  name: string;
}

function Drawing({ lines, axes, axis, size, name }: DrawingProps) {
  const { cursor, hovered, palette } = useStage();
  const curves = useRef<HTMLCanvasElement>(null);
  const overlay = useRef<HTMLCanvasElement>(null);
  const [pointed, setPointed] = useState<Pointed | null>(null);
  const down = useMemo(() => yTicks(axes, size.height), [axes, size.height]);
  const plot = useMemo(() => plotOf(axes, size, lines, down, palette.font), [axes, size, lines, down, palette.font]);
  const across = useMemo(() => xTicks(axes, axis, plot.width - plot.left - plot.right), [axes, axis, plot]);

  useLayoutEffect(() => {
    if (curves.current) paintLines(curves.current, plot, lines, palette);
  }, [plot, lines, palette]);

  useEffect(() => {
    let frame = 0;
    const paint = () => {
      frame = 0;
      if (!overlay.current || !curves.current) return;
      const lifted = hovered.get();
      const fade = lifted !== null && lines.length > 1 && lines.some(({ id }) => id === lifted);
      curves.current.style.opacity = fade ? FADED : "";
      paintOverlay(
        overlay.current,
        plot,
        lines,
        palette,
        cursor.get(),
        fade ? lifted : null,
        (x) => flagText(x, axis, axes),
        across,
      );
    };
    const later = () => (frame ||= requestAnimationFrame(paint));
    paint();
    const stops = [cursor.subscribe(later), hovered.subscribe(later)];
    return () => {
      stops.forEach((stop) => stop());
      cancelAnimationFrame(frame);
    };
  }, [plot, lines, palette, cursor, hovered, axis, axes, across]);

  const snap = (x: number) => snapped(plot, lines, x);
  const handlers = usePointer(plot, snap, (place) => {
    const readings = place ? readAt(plot, lines, place.x) : [];
    setPointed(place && readings.length > 0 ? { ...place, readings } : null);
    const nearest = place && nearestOf(readings, place.down);
    hovered.set(nearest && Math.abs(nearest.down - place.down) < 6 ? nearest.line.id : null);
  });

  return (
    <div
      className="drawing"
      role="img"
      aria-label={`${name}: ${count(lines.length)} ${lines.length === 1 ? "curve" : "curves"}`}
      tabIndex={0}
      {...handlers}
    >
      <Frame plot={plot} across={across} down={down} />
      <canvas ref={curves} className="layer" />
      <Marks plot={plot} lines={lines} axes={axes} />
      <canvas ref={overlay} className="layer" />
      {pointed && <Tooltip pointed={pointed} plot={plot} axis={axis} />}
    </div>
  );
}

const SNAP = 10;

/** The nearest item of any line, when it is near enough on the screen. */
function snapped(plot: Plot, lines: readonly DrawnLine[], x: number): number {
  const across = plot.x.at(x);
  let [best, least] = [x, SNAP];
  for (const line of lines.slice(0, 60)) {
    const item = line.x[nearestIndex(line.x, x)];
    const distance = item === undefined ? Infinity : Math.abs(plot.x.at(item) - across);
    if (distance < least) [best, least] = [item!, distance];
  }
  return best;
}

function nearestOf<R extends { down: number }>(readings: readonly R[], down: number): R | null {
  let nearest: R | null = null;
  for (const one of readings) {
    if (!nearest || Math.abs(one.down - down) < Math.abs(nearest.down - down)) nearest = one;
  }
  return nearest;
}

let measuring: CanvasRenderingContext2D | null = null;

/** How wide a label is at 11 pixels. */
function textWidth(text: string, font: string): number {
  measuring ??= document.createElement("canvas").getContext("2d")!;
  measuring.font = `11px ${font}`;
  return measuring.measureText(text).width;
}

function plotOf(
  axes: Axes,
  { width, height }: { width: number; height: number },
  lines: readonly DrawnLine[],
  ticks: readonly { text: string }[],
  font: string,
): Plot {
  const longest = Math.max(0, ...ticks.map(({ text }) => text.length));
  const left = Math.max(LEFT, Math.ceil(longest * GLYPH) + 12);
  const labels = isLabelled(lines) && width > 240 ? lines.map(({ name }) => textWidth(shorten(name), font)) : [];
  const right = labels.length > 0 ? Math.ceil(Math.max(...labels)) + 14 : RIGHT;
  return {
    width,
    height,
    left,
    right,
    top: TOP,
    bottom: BOTTOM,
    x: scale(axes.x, [left, width - right], axes.logX),
    y: scale(axes.y, [height - BOTTOM, TOP], axes.logY),
  };
}
