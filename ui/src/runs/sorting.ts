/** How presses on heads change the order. */

import { columnId, type ColumnRef, type RunsView, type Sort } from "./view";

export const NAME_COLUMN: ColumnRef = { kind: "attribute", key: "run_name" };

/** Metrics begin with their best guess, times with the newest; texts from A. */
const startsDescending = (column: ColumnRef): boolean =>
  column.kind === "metric" || column.key === "start_time" || column.key === "end_time" || column.key === "duration";

/**
 * The order after a press on a column: first direction, other direction, none. With `add` the rest of the order stays.
 */
export function sortBy(view: Pick<RunsView, "sort">, column: ColumnRef, add: boolean): { sort: Sort[] } {
  const id = columnId(column);
  const held = view.sort.find((sort) => columnId(sort.column) === id);
  const first = startsDescending(column);
  const next: Sort | null = !held
    ? { column, descending: first }
    : held.descending === first
      ? { column, descending: !first }
      : null;
  if (!add) return { sort: next ? [next] : [] };
  if (!held) return { sort: [...view.sort, next!] };
  return { sort: view.sort.flatMap((sort) => (sort === held ? (next ? [next] : []) : [sort])) };
}

/** A curve is no value that runs could be ordered by. */
export const canSort = (column: ColumnRef): boolean => column.aggregate !== "curve";
