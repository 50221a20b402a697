/** What the rows of the table have in common: columns with their places, decimals, heat and the baseline. */

import { useMemo } from "react";
import { toNumber } from "../format/figures";
import { columnDecimals, goalOf, isNumeric, NAME_WIDTH, widthOf, type Goal } from "./columns";
import type { Row } from "./selection";
import type { Curves } from "./useCurves";
import { valueColumns } from "./tableQueries";
import { columnId, type ColumnRef, type RunsView } from "./view";

export interface PlacedColumn {
  column: ColumnRef;
  id: string;
  /** Its place among the columns, from 0. */
  index: number;
  left: number;
  width: number;
  /** Of each of its cells. One object for all, so that a cell that shows another run's value keeps it. */
  style: { left: number; width: number };
  classes: string;
  numeric: boolean;
  /** Stays in sight when the table scrolls sideways. */
  frozen: boolean;
  /** First of its kind: a rule stands before it. */
  first: boolean;
  /** Where its values stand in `Row.values`; -1 for attributes and curves. */
  at: number;
  decimals: number;
  goal: Goal;
  range: readonly [number, number] | null;
}

export interface TableModel {
  columns: PlacedColumn[];
  width: number;
  nameWidth: number;
  baseline: Row | null;
  curves: Curves;
}

const CHECK_WIDTH = 36;

interface Given {
  columns: ColumnRef[];
  view: RunsView;
  rows: readonly Row[];
  baseline: Row | null;
  numericParams: ReadonlySet<string>;
  ranges: ReadonlyMap<string, readonly [number, number]>;
  curves: Curves;
}

export function useTableModel({ columns, view, rows, baseline, numericParams, ranges, curves }: Given): TableModel {
  return useMemo(() => {
    const valued = valueColumns(columns).map(columnId);
    const nameWidth = CHECK_WIDTH + (view.widths.name ?? NAME_WIDTH - CHECK_WIDTH);
    let left = nameWidth;
    const placed = columns.map((column, i): PlacedColumn => {
      const id = columnId(column);
      const width = widthOf(column, view.widths, baseline !== null);
      const at = valued.indexOf(id);
      const numeric = isNumeric(column, numericParams);
      const frozen = i < view.frozen;
      const first = column.kind !== columns[i - 1]?.kind;
      const place = {
        column,
        id,
        index: i,
        left,
        width,
        style: { left, width },
        classes: ["cell", numeric && "num", first && "gl", frozen && "frozen"].filter(Boolean).join(" "),
        at,
        numeric,
        frozen,
        first,
        decimals: at < 0 || column.kind !== "metric" ? 0 : columnDecimals(rows.map((row) => row.values[at])),
        goal: goalOf(column.key),
        range: ranges.get(id) ?? null,
      };
      left += width;
      return place;
    });
    return { columns: placed, width: left, nameWidth, baseline, curves };
  }, [columns, view.widths, view.frozen, rows, baseline, numericParams, ranges, curves]);
}

/** How much a value is of its column's range, 0 to 1; null where there is no heat. */
export function heatOf(place: PlacedColumn, value: unknown): number | null {
  const number = toNumber(value);
  if (!place.range || number === null || !Number.isFinite(number)) return null;
  const [low, high] = place.range;
  return high > low ? Math.min(1, Math.max(0, (number - low) / (high - low))) : null;
}

/** Columns that can be seen between two places of the table, and the frozen ones. */
export function columnsInSight(model: TableModel, from: number, to: number): PlacedColumn[] {
  return model.columns.filter((place) => place.frozen || (place.left < to && place.left + place.width > from));
}
