import { metric, MISSING, toNumber } from "../format/figures";
import { duration } from "../format/times";
import { runColorVar } from "../format/colors";
import { Moment, Sparkline, Status, useNow, Value } from "../kit/marks";
import { BaseMark, Delta } from "./Delta";
import type { Row } from "./selection";
import { heatOf, type PlacedColumn, type TableModel } from "./tableModel";

/**
 * One value of one run. A function that makes elements, not a component, and so are most of those below: a screen has
 * some 700 cells, and a component for each costs more than what stands in it.
 */
export function cell(row: Row, place: PlacedColumn, model: TableModel) {
  const value = place.at < 0 ? null : row.values[place.at];
  const heat = heatOf(place, value);
  return (
    <div
      key={place.id}
      role="gridcell"
      aria-colindex={place.index + 2}
      className={heat === null ? place.classes : `${place.classes} heat`}
      style={heat === null ? place.style : ({ ...place.style, "--v": heat } as React.CSSProperties)}
    >
      {content(row, place, model, value)}
    </div>
  );
}

function content(row: Row, place: PlacedColumn, model: TableModel, value: unknown) {
  const { column } = place;
  if (column.kind === "attribute") return attribute(row, column.key);
  if (column.aggregate === "curve") {
    const values = model.curves(row.run_id, column.key);
    return values ? (
      <Sparkline values={values} color={runColorVar(row.run_id)} live={row.status === "RUNNING"} />
    ) : null;
  }
  if (column.kind === "metric") return metricValue(row, place, model, toNumber(value));
  if (value === null || value === undefined) return <span className="dim">{MISSING}</span>;
  const text = String(value);
  return (
    <span className={column.kind === "tag" ? "mut" : ""} title={text}>
      {text}
    </span>
  );
}

function attribute(row: Row, name: string) {
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
    case "end_time":
      return (
        <span className="mut">
          <Moment time={row[name]} />
        </span>
      );
    case "duration":
      return (
        <span className="mut">
          {row.status === "RUNNING" ? <Duration row={row} /> : durationText(row, row.end_time ?? 0)}
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

type Times = Pick<Row, "start_time" | "end_time" | "status">;

/** How long a run took, or has been running. */
export function Duration({ row }: { row: Times }) {
  return durationText(row, useNow());
}

function durationText({ start_time: start, end_time: end, status }: Times, now: number): string {
  if (!start || (!end && status !== "RUNNING")) return MISSING;
  return duration((end ?? now) - start);
}

function metricValue(row: Row, place: PlacedColumn, model: TableModel, value: number | null) {
  const text =
    value !== null && Number.isFinite(value) ? (
      metric(value, place.decimals)
    ) : (
      <Value value={value} decimals={place.decimals} />
    );
  const { baseline } = model;
  if (!baseline) return text;
  return (
    <>
      {text}
      {row.run_id === baseline.run_id ? (
        <BaseMark />
      ) : (
        <Delta value={value} base={toNumber(baseline.values[place.at])} goal={place.goal} decimals={place.decimals} />
      )}
    </>
  );
}
