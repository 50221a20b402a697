import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { count } from "../../format/figures";
import { Button } from "../../kit/controls";
import { columnId } from "../../runs/view";
import { useStage, type Source } from "../board/stage";
import { useSize } from "../line/useShown";
import { clipTo, prepare, type Palette } from "../line/paint";
import { brushedRows, withMissing } from "../math/columns";
import { ramp, shade } from "../math/ramp";
import { scale, type Span } from "../math/scales";
import { runsNote, type PictureData } from "./data";

const [TOP, BOTTOM, LEAST_LEFT, RIGHT] = [30, 12, 46, 52];
const BRUSH = 11;
/** More lines than this would be one surface; every so many-th is drawn, and the note says so. */
const DRAWN = 4000;
const LEAST_BRUSH = 0.02;
const KEY_STEP = 0.05;
const BEND = 0.42;
const TICKS = 3;
/** A name has so many letters at most, each so many pixels wide. */
const [LETTERS, LETTER] = [20, 6.8];

/** Every run as a line through its values. Brushing an axis keeps the runs that pass there, in all charts. */
export function Parallel({
  data,
  name,
  source,
  onNote,
}: {
  data: PictureData;
  name: string;
  source: Source;
  onNote: (note: string) => void;
}) {
  const { palette } = useStage();
  const [box, size] = useSize<HTMLDivElement>();
  const canvas = useRef<HTMLCanvasElement>(null);
  const [brushes, setBrushes] = useState<readonly (Span | null)[]>([]);
  const axes = useMemo(
    // A run without the last value has no colour, and is not drawn.
    () => data.columns.map((column, i) => withMissing(column, TICKS, i === data.columns.length - 1)),
    [data],
  );
  const places = useMemo(() => axes.map((axis) => axis.places), [axes]);
  const brushing = brushes.some(Boolean);
  const inside = useMemo(() => brushedRows(places, brushes), [places, brushes]);
  const whole = useMemo(
    () => data.runIds.map((_, row) => row).filter((row) => places.every((axis) => !Number.isNaN(axis[row]!))),
    [data, places],
  );
  const left = Math.max(LEAST_LEFT, ...axes[0]!.ticks.map(({ text }) => shortTick(text).length * LETTER + 12));
  const stride = Math.ceil(whole.length / DRAWN);

  useLayoutEffect(() => {
    if (!canvas.current || size.width === 0) return;
    const rows = whole.filter((_, i) => i % stride === 0);
    paint(canvas.current, size, left, places, rows, inside, palette);
  }, [size, left, places, whole, stride, inside, palette]);

  useEffect(() => {
    const kept = inside.filter(Boolean).length;
    const sample = stride > 1 ? ` · one line in ${stride} drawn` : "";
    const brushed = brushing ? ` · ${count(kept)} brushed` : "";
    onNote(runsNote(whole.length, data.matched) + brushed + sample);
  }, [onNote, whole, data, inside, brushing, stride]);

  const settle = (next: readonly (Span | null)[]) => {
    setBrushes(next);
    const rows = brushedRows(places, next);
    source.brush(next.some(Boolean) ? data.runIds.filter((_, row) => rows[row]) : null);
  };
  const put = (axis: number, span: Span | null) =>
    data.columns.map((_, i) => (i === axis ? span : (brushes[i] ?? null)));
  const at = (axis: number) => left + (axis * (size.width - left - RIGHT)) / Math.max(1, data.columns.length - 1);

  return (
    <div className="plotbox">
      <div ref={box} className="drawing" role="group" aria-label={name}>
        <canvas ref={canvas} className="layer" />
        {size.width > 0 && (
          <svg className="chart layer live-layer" width={size.width} height={size.height}>
            {axes.map(({ ticks }, i) => (
              <Axis
                key={columnId(data.refs[i]!)}
                name={data.refs[i]!.key}
                x={Math.round(at(i)) + 0.5}
                ticks={ticks}
                height={size.height}
                width={size.width}
                last={i === axes.length - 1}
                brush={brushes[i] ?? null}
                onBrush={(span) => setBrushes(put(i, span))}
                onSettle={(span) => settle(put(i, span))}
              />
            ))}
          </svg>
        )}
        {brushing && (
          <Button small kind="ghost" className="clear" onClick={() => settle([])}>
            Clear brush
          </Button>
        )}
      </div>
    </div>
  );
}

function paint(
  canvas: HTMLCanvasElement,
  { width, height }: { width: number; height: number },
  left: number,
  places: readonly Float64Array[],
  rows: readonly number[],
  inside: readonly boolean[],
  palette: Palette,
): void {
  const pen = prepare(canvas, width, height);
  const x = (axis: number) => left + (axis * (width - left - RIGHT)) / Math.max(1, places.length - 1);
  const y = (place: number) => TOP + (1 - place) * (height - TOP - BOTTOM);
  const line = (row: number): Path2D => {
    const path = new Path2D();
    places.forEach((axis, i) => {
      const [across, down] = [x(i), y(axis[row]!)];
      if (i === 0) return path.moveTo(across, down);
      const [before, above] = [x(i - 1), y(places[i - 1]![row]!)];
      const bend = (across - before) * BEND;
      path.bezierCurveTo(before + bend, above, across - bend, down, across, down);
    });
    return path;
  };
  const colors = ramp(palette.runs[1]!, palette.accent);
  const target = places[places.length - 1]!;
  pen.save();
  const none = scale([0, 1], [0, 1]);
  clipTo(pen, { width, height, left: 0, right: 0, top: 1, bottom: 0, x: none, y: none });
  pen.strokeStyle = palette.dim;
  pen.lineWidth = 1;
  pen.globalAlpha = 0.28;
  for (const row of rows) if (!inside[row]) pen.stroke(line(row));
  pen.globalAlpha = rows.length > 600 ? 0.5 : 0.9;
  pen.lineWidth = 1.4;
  for (const row of rows) {
    if (!inside[row]) continue;
    pen.strokeStyle = shade(colors, target[row]!);
    pen.stroke(line(row));
  }
  pen.restore();
}

const shortTick = (text: string): string => (text.length > 12 ? `${text.slice(0, 11)}…` : text);

interface AxisProps {
  name: string;
  x: number;
  ticks: { at: number; text: string }[];
  height: number;
  width: number;
  last: boolean;
  brush: Span | null;
  /** While the brush moves. */
  onBrush: (span: Span | null) => void;
  /** When it rests. */
  onSettle: (span: Span | null) => void;
}

function Axis({ name, x, ticks, height, width, last, brush, onBrush, onSettle }: AxisProps) {
  const start = useRef<number | null>(null);
  const y = (place: number) => TOP + (1 - place) * (height - TOP - BOTTOM);
  const placeAt = (event: React.PointerEvent<SVGElement>) => {
    const down = event.clientY - event.currentTarget.ownerSVGElement!.getBoundingClientRect().top;
    return Math.max(0, Math.min(1, 1 - (down - TOP) / (height - TOP - BOTTOM)));
  };
  const label = name.length > LETTERS ? `${name.slice(0, LETTERS - 1)}…` : name;
  const half = (label.length * LETTER) / 2;
  const spanTo = (to: number): Span | null => {
    const from = start.current!;
    return Math.abs(to - from) < LEAST_BRUSH ? null : [Math.min(from, to), Math.max(from, to)];
  };
  const step = (by: number, size: number) => {
    const [low, high] = brush ?? [0, 1];
    const next: Span = [Math.max(0, low + by), Math.min(1, high + by + size)];
    if (next[1] - next[0] >= LEAST_BRUSH) onSettle(next);
  };
  return (
    <g>
      <path className="pax" d={`M${x} ${TOP}V${height - BOTTOM}`} />
      <text className="paxn" x={Math.max(half + 4, Math.min(width - half - 4, x))} y={12} textAnchor="middle">
        {label}
      </text>
      {ticks.map(({ at, text }) => (
        <g key={text + at}>
          <path className="pax" d={`M${x - 3} ${y(at)}h6`} />
          {!last && (
            <rect
              className="pbg"
              x={x - 10 - text.length * 6}
              y={y(at) - 7}
              width={shortTick(text).length * 6 + 5}
              height={14}
              rx={3}
            />
          )}
          <text className="tick" x={last ? x + 7 : x - 8} y={y(at) + 3.5} textAnchor={last ? "start" : "end"}>
            {shortTick(text)}
          </text>
        </g>
      ))}
      {brush && (
        <rect
          className="brush"
          x={x - BRUSH / 2}
          y={y(brush[1])}
          width={BRUSH}
          height={y(brush[0]) - y(brush[1])}
          rx={2}
        />
      )}
      <rect
        className="handle"
        x={x - 12}
        y={TOP - 4}
        width={24}
        height={Math.max(0, height - TOP - BOTTOM + 8)}
        tabIndex={0}
        role="slider"
        aria-label={`Brush on ${name}`}
        aria-orientation="vertical"
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round((brush?.[0] ?? 0) * 100)}
        aria-valuetext={
          brush ? `${Math.round(brush[0] * 100)} to ${Math.round(brush[1] * 100)} % of the axis` : "no brush"
        }
        onPointerDown={(event) => {
          start.current = placeAt(event);
          event.currentTarget.setPointerCapture(event.pointerId);
        }}
        onPointerMove={(event) => {
          if (start.current !== null) onBrush(spanTo(placeAt(event)));
        }}
        onPointerUp={(event) => {
          if (start.current === null) return;
          const span = spanTo(placeAt(event));
          start.current = null;
          onSettle(span);
        }}
        onKeyDown={(event) => {
          if (event.key === "ArrowUp") step(KEY_STEP, 0);
          else if (event.key === "ArrowDown") step(-KEY_STEP, 0);
          else if (event.key === "+") step(-KEY_STEP / 2, KEY_STEP);
          else if (event.key === "-") step(KEY_STEP / 2, -KEY_STEP);
          else if (event.key === "Escape") onSettle(null);
          else return;
          event.preventDefault();
          event.stopPropagation();
        }}
      />
    </g>
  );
}
