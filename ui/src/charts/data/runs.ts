/** Runs of an experiment as charts need them: rows, groups, whole columns. */

import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { post, type Schemas } from "../../api/client";
import { keys } from "../../api/queries";
import { MISSING } from "../../format/figures";
import { wireColumn, type Selection } from "../../runs/selection";
import type { ColumnRef } from "../../runs/view";

export type RunGroup = Schemas["RunGroup"];
export type Condition = Schemas["Condition"];
export type Cell = number | string | null;

const ALL_RUNS = 100_000;
const GROUPS = 200;

interface Part {
  offset?: number;
  rows: number;
  /** Those of one group. */
  within?: Condition[];
  /** These runs, whatever the filter. */
  ids?: string[];
}

/** Rows of the table. */
export const rowsQuery = (experimentId: string, selection: Selection, columns: readonly ColumnRef[], part: Part) =>
  queryOptions({
    queryKey: [...keys.runs(experimentId), "charts", "rows", selection, columns, part],
    queryFn: ({ signal }) =>
      post(
        "/api/2.0/stele/runs/table",
        {
          ...selection,
          columns: columns.map(wireColumn),
          offset: part.offset ?? 0,
          max_rows: part.rows,
          within: part.within ?? [],
          run_ids: part.ids ?? [],
        },
        { signal },
      ),
    placeholderData: keepPreviousData,
  });

/** Groups of equal values; `aggregate` is summed up in each. */
export const groupsQuery = (
  experimentId: string,
  selection: Selection,
  group: readonly ColumnRef[],
  aggregate: ColumnRef | null,
) =>
  queryOptions({
    queryKey: [...keys.runs(experimentId), "charts", "groups", selection, group, aggregate],
    queryFn: ({ signal }) =>
      post(
        "/api/2.0/stele/runs/groups",
        {
          ...selection,
          group_by: group.map(wireColumn),
          aggregates: aggregate ? [wireColumn(aggregate)] : [],
          max_groups: GROUPS,
        },
        { signal },
      ),
    enabled: group.length > 0,
    placeholderData: keepPreviousData,
  });

/** Whole columns of all runs of a view. */
export const columnsQuery = (experimentId: string, selection: Selection, columns: readonly ColumnRef[]) =>
  queryOptions({
    queryKey: [...keys.runs(experimentId), "charts", "columns", selection, columns],
    queryFn: ({ signal }) =>
      post(
        "/api/2.0/stele/runs/columns",
        { ...selection, columns: columns.map(wireColumn), max_runs: ALL_RUNS },
        { signal },
      ),
    placeholderData: keepPreviousData,
  });

/** The conditions that a group stands for. */
export const conditionsOf = (group: readonly ColumnRef[], { key }: RunGroup): Condition[] =>
  group.map((column, i) => ({ column: wireColumn(column), value: key[i] ?? undefined }));

/** `optimizer = sgd`, with the values of all columns. */
export const groupName = (group: readonly ColumnRef[], values: readonly Cell[]): string =>
  group.map(({ key }, i) => `${key} = ${values[i] ?? MISSING}`).join(", ");
