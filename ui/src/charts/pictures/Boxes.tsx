import { useEffect, useMemo } from "react";
import { count, decimalsFor, metric } from "../../format/figures";
import { inNaturalOrder } from "../../format/order";
import { useSize } from "../line/useShown";
import { roomy, scale, ticksOf, tickTexts } from "../math/scales";
import { box as boxOf, type Box } from "../math/stats";
import { runsNote, type PictureData } from "./data";

const [TOP, BOTTOM, LEFT, RIGHT] = [10, 20, 38, 12];
const LEAST_WIDTH = 46;

/** Quartiles of a column, for each value of another one. */
export function Boxes({ data, name, onNote }: { data: PictureData; name: string; onNote: (note: string) => void }) {
  const [frame, size] = useSize<HTMLDivElement>();
  const column = data.columns[0]!;
  const boxes = useMemo(() => boxesOf(data), [data]);
  const room = Math.max(1, Math.floor((size.width - LEFT - RIGHT) / LEAST_WIDTH));
  const shown = boxes.slice(0, room);
  const drawn = boxes.reduce((sum, { box }) => sum + box.count, 0);
  useEffect(() => {
    const groups = boxes.length > room ? ` · ${room} of ${count(boxes.length)} groups, the largest first` : "";
    onNote(runsNote(drawn, data.matched) + groups);
  }, [onNote, drawn, data, boxes, room]);
  if (column.kind === "text" || boxes.length === 0) {
    return <p className="nothing">{data.refs[0]!.key} has no numbers</p>;
  }
  const y = scale(roomy(column.extent, false), [size.height - BOTTOM, TOP]);
  const down = ticksOf(y, 4);
  const texts = tickTexts(down, false);
  const step = (size.width - LEFT - RIGHT) / shown.length;
  return (
    <div className="plotbox">
      <div ref={frame} className="drawing" role="img" aria-label={`${name}: ${count(boxes.length)} groups`}>
        {size.width > 0 && (
          <svg className="chart layer live-layer" width={size.width} height={size.height}>
            {down.map((at, i) => (
              <g key={at}>
                <path className="grid" d={`M${LEFT} ${Math.round(y.at(at)) + 0.5}H${size.width - RIGHT}`} />
                <text className="tick" x={LEFT - 6} y={y.at(at) + 3.5} textAnchor="end">
                  {texts[i]}
                </text>
              </g>
            ))}
            {shown.map(({ label, box }, i) => (
              <OneBox
                key={label}
                {...{ label, box }}
                at={y.at}
                x={LEFT + (i + 0.5) * step}
                step={step}
                height={size.height}
              />
            ))}
            <path className="axis" d={`M${LEFT} ${size.height - BOTTOM + 0.5}H${size.width - RIGHT}`} />
          </svg>
        )}
      </div>
    </div>
  );
}

function OneBox({
  label,
  box,
  at,
  x,
  step,
  height,
}: {
  label: string;
  box: Box;
  at: (value: number) => number;
  x: number;
  step: number;
  height: number;
}) {
  const half = Math.min(22, step * 0.32);
  const letters = Math.max(3, Math.floor(step / 6.2));
  const decimals = decimalsFor([box.q1, box.median, box.q3]);
  const figures = [box.q1, box.median, box.q3].map((value) => metric(value, decimals)).join(" · ");
  return (
    <g className="boxplot">
      <title>{`${label}: ${count(box.count)} runs, quartiles ${figures}`}</title>
      <path d={`M${x} ${at(box.low)}V${at(box.q1)}M${x} ${at(box.q3)}V${at(box.high)}`} />
      <path d={`M${x - half / 2} ${at(box.low)}h${half}M${x - half / 2} ${at(box.high)}h${half}`} />
      <rect x={x - half} y={at(box.q3)} width={2 * half} height={Math.max(1, at(box.q1) - at(box.q3))} />
      <path className="median" d={`M${x - half} ${at(box.median)}h${2 * half}`} />
      {box.outliers.slice(0, 200).map((value, i) => (
        <circle key={i} cx={x} cy={at(value)} r={1.8} />
      ))}
      <text className="tick" x={x} y={height - 5} textAnchor="middle">
        {label.length > letters ? `${label.slice(0, letters - 1)}…` : label}
      </text>
    </g>
  );
}

function boxesOf({ columns, cells }: PictureData): { label: string; box: Box }[] {
  const [values, group] = columns;
  if (!values || values.kind === "text") return [];
  const held = new Map<string, number[]>();
  values.values.forEach((value, row) => {
    if (value === null) return;
    const label = group ? String(cells[1]![row] ?? "—") : "all runs";
    const list = held.get(label);
    if (list) list.push(value);
    else held.set(label, [value]);
  });
  const found = [...held].flatMap(([label, list]) => {
    const box = boxOf(list);
    return box ? [{ label, box }] : [];
  });
  // In the order of the values where all fit, the largest groups first where they do not.
  return found.length > 12
    ? found.sort((a, b) => b.box.count - a.box.count)
    : inNaturalOrder(found, ({ label }) => label);
}
