import { count, decimalsFor } from "../../format/figures";
import { Value } from "../../kit/marks";
import { extentOf } from "../math/clip";
import type { DrawnLine } from "./model";

/** The figures behind a line chart, for those who read them better than curves. */
export default function LineTable({
  lines,
  name,
  grouped,
}: {
  lines: readonly DrawnLine[];
  name: string;
  grouped: boolean;
}) {
  const rows = lines.map((line) => {
    const source = line.curve;
    const columns = source ? [source.low, source.high] : [line.y];
    const values = source?.last ?? line.y;
    return {
      line,
      last: values[values.length - 1] ?? null,
      extent: extentOf(columns) ?? [null, null],
      points: source?.points ?? line.x.length,
    };
  });
  const decimals = decimalsFor(rows.flatMap(({ last }) => (last === null ? [] : [last])));
  return (
    <div className="figures" tabIndex={0} role="region" aria-label={`Figures of ${name}`}>
      <table className="t">
        <thead>
          <tr>
            <th>{grouped ? "Group" : "Run"}</th>
            <th className="r">Last</th>
            <th className="r">Min</th>
            <th className="r">Max</th>
            <th className="r">Points</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ line, last, extent, points }) => (
            <tr key={`${line.id} ${line.name}`}>
              <td title={line.name}>
                <i className="rd" style={{ background: `var(--run-${line.color})` }} /> {line.name}
              </td>
              {[last, ...extent].map((value, i) => (
                <td key={i} className="num">
                  <Value value={value} decimals={decimals} />
                </td>
              ))}
              <td className="num">{count(points)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
