/** Runs of an experiment as charts need them: the first rows of the table, groups, keys, whole columns. */

import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { post, type Schemas } from "../../api/client";
import { keys } from "../../api/queries";
import { wireColumn } from "../../runs/selection";
import { orderBy, type ColumnRef, type RunsView } from "../../runs/view";

export type Selection = Pick<Schemas["QueryRunsTable"], "experiment_ids" | "filter" | "order_by" | "view" | "archived">;
export type TableRow = Schemas["TableRow"];
export type RunGroup = Schemas["RunGroup"];
export type Condition = Schemas["Condition"];
export type Cell = number | string | null;

const KEYS = 50_000;
const ALL_RUNS = 100_000;
const GROUPS = 200;

/** The runs of a view in the order of its table. */
export const selectionOf = (experimentId: string, view: RunsView): Selection => ({
  experiment_ids: [experimentId],
  filter: view.filter,
  order_by: orderBy(view.sort),
  view: view.deleted ? "DELETED_ONLY" : "ACTIVE_ONLY",
  archived: view.archived,
});

/** Rows from `offset` on; with `ids` these runs instead. */
export const rowsQuery = (
  experimentId: string,
  selection: Selection,
  columns: readonly ColumnRef[],
  part: { offset?: number; rows: number; within?: Condition[]; ids?: string[] },
) =>
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

/** Metrics and params of an experiment. */
export const keysQuery = (experimentId: string) =>
  queryOptions({
    queryKey: [...keys.runs(experimentId), "charts", "keys"],
    queryFn: ({ signal }) =>
      post(
        "/api/2.0/stele/runs/keys",
        { experiment_ids: [experimentId], kinds: ["metric", "param"], max_results: KEYS },
        { signal },
      ),
    placeholderData: keepPreviousData,
  });

/** Whole columns of all runs of a view. */
export const columnsQuery = (experimentId: string, selection: Selection, columns: readonly ColumnRef[]) =>
  queryOptions({
    queryKey: [...keys.runs(experimentId), "charts", "columns", selection, columns],
    queryFn: async ({ signal }) =>
      await post(
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
  group.map(({ key }, i) => `${key} = ${values[i] ?? "—"}`).join(", ");
