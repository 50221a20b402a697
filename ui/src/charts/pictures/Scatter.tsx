import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { decimalsFor, metric } from "../../format/figures";
import { useStage } from "../board/stage";
import { prepare, colorOf } from "../line/paint";
import { useSize } from "../line/useShown";
import { runColor } from "../../format/colors";
import { axisTicks, placesOf } from "../math/columns";
import { ramp, shade } from "../math/ramp";
import { contoursOf, outline, surface as surfaceOf } from "../math/surface";
import { runsNote, type PictureData } from "./data";

const [TOP, BOTTOM, LEFT, RIGHT] = [10, 36, 48, 16];
const GRID = 48;
/** A surface is drawn through at most so many runs: more do not change its look. */
const SUPPORT = 600;
const INSET = 0.03;

/** Runs as points by two columns, coloured by a third one; with `surface`, that one as contours behind them. */
export function Scatter({
  data,
  name,
  onNote,
  surface = false,
}: {
  data: PictureData;
  name: string;
  onNote: (note: string) => void;
  surface?: boolean;
}) {
  const { palette, hovered, source } = useStage();
  const [box, size] = useSize<HTMLDivElement>();
  const canvas = useRef<HTMLCanvasElement>(null);
  const [near, setNear] = useState<number | null>(null);
  const places = useMemo(() => data.columns.map(placesOf), [data]);
  const [xs, ys, zs] = places as [Float64Array, Float64Array, Float64Array | undefined];
  const rows = useMemo(
    () => data.runIds.map((_, row) => row).filter((row) => places.every((axis) => !Number.isNaN(axis[row]!))),
    [data, places],
  );
  const kept = useMemo(() => (source?.brushed ? new Set(source.brushed) : null), [source?.brushed]);
  const colors = useMemo(() => ramp(palette.runs[1]!, palette.accent), [palette]);
  const areas = useMemo(() => (surface && zs ? areasOf(xs, ys, zs, rows) : []), [surface, xs, ys, zs, rows]);
  const x = (place: number) => LEFT + (INSET + place * (1 - 2 * INSET)) * (size.width - LEFT - RIGHT);
  const y = (place: number) => size.height - BOTTOM - (INSET + place * (1 - 2 * INSET)) * (size.height - TOP - BOTTOM);

  useEffect(() => onNote(runsNote(rows.length, data.matched)), [onNote, rows, data]);
  useLayoutEffect(() => {
    if (!canvas.current || size.width === 0) return;
    const pen = prepare(canvas.current, size.width, size.height);
    const radius = rows.length > 2000 ? 2 : 3.2;
    for (const row of rows) {
      const dim = kept !== null && !kept.has(data.runIds[row]!);
      pen.globalAlpha = dim ? 0.15 : surface ? 0.9 : 0.8;
      pen.beginPath();
      pen.arc(x(xs[row]!), y(ys[row]!), surface ? 2.2 : radius, 0, 2 * Math.PI);
      pen.fillStyle = surface
        ? palette.surface
        : zs
          ? shade(colors, zs[row]!)
          : colorOf(palette, runColor(data.runIds[row]!));
      pen.fill();
      if (surface) {
        pen.strokeStyle = palette.muted;
        pen.lineWidth = 1;
        pen.stroke();
      }
    }
  }, [size, rows, xs, ys, zs, colors, palette, kept, surface]);

  const point = (event: React.PointerEvent<HTMLElement>) => {
    const at = event.currentTarget.getBoundingClientRect();
    const [across, down] = [event.clientX - at.left, event.clientY - at.top];
    let best: number | null = null;
    let least = 14;
    for (const row of rows) {
      const distance = Math.hypot(x(xs[row]!) - across, y(ys[row]!) - down);
      if (distance < least) [least, best] = [distance, row];
    }
    setNear(best);
    hovered.set(best === null ? null : data.runIds[best]!);
  };

  return (
    <div className="plotbox">
      <div
        ref={box}
        className="drawing"
        role="img"
        aria-label={`${name}: ${runsNote(rows.length, data.matched)}`}
        onPointerMove={point}
        onPointerLeave={() => {
          setNear(null);
          hovered.set(null);
        }}
      >
        {size.width > 0 && (
          <svg className="chart layer" width={size.width} height={size.height} aria-hidden="true">
            {areas.map((area, i) => (
              <path
                key={i}
                d={outline(area, (a, b) => [x((a - 0.5) / (GRID - 1)), y((b - 0.5) / (GRID - 1))])}
                style={{ fill: shade(colors, i / Math.max(1, areas.length - 1)) }}
                className="area"
              />
            ))}
            <SquareAxes data={data} size={size} x={x} y={y} grid={!surface} />
          </svg>
        )}
        <canvas ref={canvas} className="layer" />
        {near !== null && <PointTip data={data} row={near} left={x(xs[near]!)} top={y(ys[near]!)} width={size.width} />}
      </div>
    </div>
  );
}

function areasOf(xs: Float64Array, ys: Float64Array, zs: Float64Array, rows: readonly number[]) {
  if (rows.length < 3) return [];
  const stride = Math.ceil(rows.length / SUPPORT);
  const used = rows.filter((_, i) => i % stride === 0);
  const pick = (axis: Float64Array) => used.map((row) => axis[row]!);
  return contoursOf(surfaceOf(pick(xs), pick(ys), pick(zs), GRID), GRID);
}

function SquareAxes({
  data,
  size,
  x,
  y,
  grid,
}: {
  data: PictureData;
  size: { width: number; height: number };
  grid: boolean;
  x: (place: number) => number;
  y: (place: number) => number;
}) {
  const bottom = size.height - BOTTOM;
  const end = size.width - RIGHT;
  return (
    <>
      {axisTicks(data.columns[1]!, 4).map(({ at, text }) => (
        <g key={text + at}>
          {grid && <path className="grid" d={`M${LEFT} ${Math.round(y(at)) + 0.5}H${end}`} />}
          <text className="tick" x={LEFT - 6} y={y(at) + 3.5} textAnchor="end">
            {text.slice(0, 8)}
          </text>
        </g>
      ))}
      {axisTicks(data.columns[0]!, Math.max(2, Math.floor(size.width / 90))).map(({ at, text }) => (
        <text key={text + at} className="tick" x={x(at)} y={bottom + 14} textAnchor="middle">
          {text.slice(0, 12)}
        </text>
      ))}
      <path className="axis" d={`M${LEFT} ${bottom + 0.5}H${end}`} />
      <text className="paxn" x={end} y={size.height - 4} textAnchor="end">
        {data.refs[0]!.key}
      </text>
      <text className="paxn halo" x={LEFT + 4} y={TOP + 6}>
        {data.refs[1]!.key}
      </text>
    </>
  );
}

function PointTip({
  data,
  row,
  left,
  top,
  width,
}: {
  data: PictureData;
  row: number;
  left: number;
  top: number;
  width: number;
}) {
  const right = left > width / 2;
  return (
    <div
      className="tip"
      role="status"
      style={{ top: Math.max(0, top - 30), ...(right ? { right: width - left + 12 } : { left: left + 12 }) }}
    >
      <b className="b nw">{data.names[row]}</b>
      <table>
        <tbody>
          {data.refs.map(({ key }, i) => {
            const cell = data.cells[i]![row];
            return (
              <tr key={i}>
                <td className="mono">{key}</td>
                <td className="r">{typeof cell === "number" ? metric(cell, decimalsFor([cell])) : cell}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
