import { useEffect, useMemo } from "react";
import { count } from "../../format/figures";
import { useSize } from "../line/useShown";
import { scale, ticksOf, tickTexts } from "../math/scales";
import { bins } from "../math/stats";
import { runsNote, type PictureData } from "./data";

const [TOP, BOTTOM, LEFT, RIGHT] = [10, 20, 38, 12];

/** How the values of a column are spread over the runs. */
export function HistogramPicture({
  data,
  name,
  onNote,
}: {
  data: PictureData;
  name: string;
  onNote: (note: string) => void;
}) {
  const [box, size] = useSize<HTMLDivElement>();
  const column = data.columns[0]!;
  const values = useMemo(
    () => (column.kind === "number" ? column.values.filter((value) => value !== null) : []),
    [column],
  );
  const found = useMemo(() => bins(values, Math.max(8, Math.floor(size.width / 16))), [values, size.width]);
  useEffect(() => onNote(runsNote(values.length, data.matched)), [onNote, values, data]);
  if (column.kind === "text") return <p className="nothing">{data.refs[0]!.key} has no numbers</p>;
  const most = Math.max(1, ...found.map((bin) => bin.count));
  const [first, last] = [found[0], found[found.length - 1]];
  const x = scale([first?.from ?? 0, last && last.to > first!.from ? last.to : 1], [LEFT, size.width - RIGHT]);
  const y = scale([0, most], [size.height - BOTTOM, TOP]);
  const across = ticksOf(x, Math.max(2, Math.floor(size.width / 78)));
  const down = ticksOf(y, 4).filter(Number.isInteger);
  const texts = tickTexts(across, false);
  return (
    <div className="plotbox">
      <div ref={box} className="drawing" role="img" aria-label={`${name}: ${runsNote(values.length, data.matched)}`}>
        {size.width > 0 && (
          <svg className="chart layer live-layer" width={size.width} height={size.height}>
            {down.map((at) => (
              <g key={at}>
                <path className="grid" d={`M${LEFT} ${Math.round(y.at(at)) + 0.5}H${size.width - RIGHT}`} />
                <text className="tick" x={LEFT - 6} y={y.at(at) + 3.5} textAnchor="end">
                  {count(at)}
                </text>
              </g>
            ))}
            {found.map((bin) => (
              <rect
                key={bin.from}
                className="bar"
                x={x.at(bin.from) + 0.5}
                y={y.at(bin.count)}
                width={Math.max(1, x.at(bin.to) - x.at(bin.from) - 1)}
                height={size.height - BOTTOM - y.at(bin.count)}
              >
                <title>{`${tickTexts([bin.from, bin.to], false).join(" to ")}: ${count(bin.count)} runs`}</title>
              </rect>
            ))}
            {across.map((at, i) => (
              <text key={at} className="tick" x={x.at(at)} y={size.height - 5} textAnchor="middle">
                {texts[i]}
              </text>
            ))}
            <path className="axis" d={`M${LEFT} ${size.height - BOTTOM + 0.5}H${size.width - RIGHT}`} />
          </svg>
        )}
      </div>
    </div>
  );
}
