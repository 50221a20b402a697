import { MISSING, toNumber } from "../format/figures";
import { duration } from "../format/times";
import { runColorVar } from "../format/colors";
import { Moment, Sparkline, Status, useNow, Value } from "../kit/marks";
import { BaseMark, Delta } from "./Delta";
import type { Row } from "./selection";
import { heatOf, type PlacedColumn, type TableModel } from "./tableModel";

/** One value of one run. */
export function Cell({ row, place, model }: { row: Row; place: PlacedColumn; model: TableModel }) {
  const value = place.at < 0 ? null : row.values[place.at];
  const heat = heatOf(place, value);
  const classes = [
    "cell",
    place.numeric ? "num" : "",
    place.first ? "gl" : "",
    place.frozen ? "frozen" : "",
    heat === null ? "" : "heat",
  ];
  const style: React.CSSProperties & Record<"--v", number | undefined> = {
    left: place.left,
    width: place.width,
    "--v": heat ?? undefined,
  };
  return (
    <div role="gridcell" aria-colindex={place.index + 2} className={classes.filter(Boolean).join(" ")} style={style}>
      <Content row={row} place={place} model={model} value={value} />
    </div>
  );
}

function Content({ row, place, model, value }: { row: Row; place: PlacedColumn; model: TableModel; value: unknown }) {
  const { column } = place;
  if (column.kind === "attribute") return <Attribute row={row} name={column.key} />;
  if (column.aggregate === "curve") {
    const values = model.curves(row.run_id, column.key);
    return values ? (
      <Sparkline values={values} color={runColorVar(row.run_id)} live={row.status === "RUNNING"} />
    ) : null;
  }
  if (column.kind === "metric") return <Metric row={row} place={place} model={model} value={toNumber(value)} />;
  if (value === null || value === undefined) return <span className="dim">{MISSING}</span>;
  const text = String(value);
  return (
    <span className={column.kind === "tag" ? "mut" : ""} title={text}>
      {text}
    </span>
  );
}

function Attribute({ row, name }: { row: Row; name: string }) {
  switch (name) {
    case "status":
      return row.archived ? (
        <>
          <Status status={row.status} /> <span className="n">archived</span>
        </>
      ) : (
        <Status status={row.status} />
      );
    case "start_time":
      return (
        <span className="mut">
          <Moment time={row.start_time} />
        </span>
      );
    case "end_time":
      return (
        <span className="mut">
          <Moment time={row.end_time} />
        </span>
      );
    case "duration":
      return (
        <span className="mut">
          <Duration row={row} />
        </span>
      );
    case "user_id":
      return <span className="mut">{row.user_id || MISSING}</span>;
    default:
      return (
        <span className="mono dim" title={row.run_id}>
          {row.run_id.slice(0, 8)}
        </span>
      );
  }
}

/** How long a run took, or has been running. */
export function Duration({ row }: { row: Pick<Row, "start_time" | "end_time" | "status"> }) {
  const now = useNow();
  if (!row.start_time || (!row.end_time && row.status !== "RUNNING")) return <>{MISSING}</>;
  return <>{duration((row.end_time ?? now) - row.start_time)}</>;
}

function Metric({
  row,
  place,
  model,
  value,
}: {
  row: Row;
  place: PlacedColumn;
  model: TableModel;
  value: number | null;
}) {
  return (
    <>
      <Value value={value} decimals={place.decimals} />
      {model.baseline &&
        (row.run_id === model.baseline.run_id ? (
          <BaseMark />
        ) : (
          <Delta
            value={value}
            base={toNumber(model.baseline.values[place.at])}
            goal={place.goal}
            decimals={place.decimals}
          />
        ))}
    </>
  );
}
