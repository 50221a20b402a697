/** What is asked for a table of runs. Nothing of React is here: it is asked before that is there. */

import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { post } from "../api/client";
import { keys, queryClient } from "../api/queries";
import { wireColumn, type Selection } from "./selection";
import { BLOCK } from "./segments";
import type { ColumnRef, RunsView } from "./view";

export const PATH = "/api/2.0/stele/runs/table";

/** What the table is asked about. */
export interface Asked {
  experimentId: string;
  selection: Selection;
  columns: readonly ColumnRef[];
  view: RunsView;
  expanded: readonly string[];
}

/** Columns that come with rows; curves are fetched apart. */
export const valueColumns = (columns: readonly ColumnRef[]): ColumnRef[] =>
  columns.filter((column) => column.kind !== "attribute" && column.aggregate !== "curve");

/** The keys of the experiment's runs: for columns, completion, groups. */
export const runKeys = (experimentId: string) =>
  queryOptions({
    queryKey: [...keys.runs(experimentId), "keys"],
    queryFn: async ({ signal }) =>
      (await post("/api/2.0/stele/runs/keys", { experiment_ids: [experimentId], max_results: 50_000 }, { signal }))
        .keys,
    // A new key seldom matters at once, and counting them is the dearest thing the table asks for.
    staleTime: 60_000,
  });

/** The counts of the selection; without groups with its first rows, in one answer. */
export function firstRows({ experimentId, selection, columns, view, expanded }: Asked) {
  const grouped = view.group.length > 0;
  const wire = grouped ? [] : columns.map(wireColumn);
  const tree = view.tree && !grouped;
  return queryOptions({
    queryKey: [...keys.runs(experimentId), grouped ? "counts" : "rows", selection, wire, tree ? expanded : null, 0],
    queryFn: ({ signal }) =>
      post(
        PATH,
        { ...selection, columns: wire, max_rows: grouped ? 0 : BLOCK, tree, expanded: tree ? [...expanded] : [] },
        { signal },
      ),
    placeholderData: keepPreviousData,
  });
}

/** Asks for rows that are likely to be wanted in a moment. */
export const askForRows = (asked: Asked) => queryClient.prefetchQuery(firstRows(asked));

/** How many runs an experiment has, and in which states. */
export const counts = (experimentId: string) =>
  queryOptions({
    queryKey: [...keys.runs(experimentId), "counts of all"],
    queryFn: ({ signal }) => post(PATH, { experiment_ids: [experimentId], max_rows: 0 }, { signal }),
  });
