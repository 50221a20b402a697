/** What the table shows, from the server: counts, groups, rows in sight, pinned rows. */

import { keepPreviousData, queryOptions, useQueries, useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { post } from "../api/client";
import { ApiError } from "../api/http";
import { keys, queryClient } from "../api/queries";
import { wireColumn, type Row, type Selection } from "./selection";
import { BLOCK, blocksBetween, groupId, layOut, locate, type Group, type Layout, type Segment } from "./segments";
import type { ColumnRef, RunsView } from "./view";

const PATH = "/api/2.0/stele/runs/table";

/** Columns that come with rows; curves are fetched apart. */
export const valueColumns = (columns: readonly ColumnRef[]): ColumnRef[] =>
  columns.filter((column) => column.kind !== "attribute" && column.aggregate !== "curve");

/** The keys of the experiment's runs: for columns, completion, groups. */
export const useRunKeys = (experimentId: string) => useQuery(runKeys(experimentId));

export const runKeys = (experimentId: string) =>
  queryOptions({
    queryKey: [...keys.runs(experimentId), "keys"],
    queryFn: async ({ signal }) =>
      (await post("/api/2.0/stele/runs/keys", { experiment_ids: [experimentId], max_results: 50_000 }, { signal }))
        .keys,
    // A new key seldom matters at once, and counting them is the dearest thing the table asks for.
    staleTime: 60_000,
  });

interface Wanted {
  experimentId: string;
  selection: Selection;
  columns: readonly ColumnRef[];
  view: RunsView;
  expanded: readonly string[];
  unfolded: ReadonlySet<string>;
}

type Asked = Omit<Wanted, "unfolded">;

/** The counts of the selection; without groups with its first rows, in one answer. */
function firstRows({ experimentId, selection, columns, view, expanded }: Asked) {
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

export const useFirstRows = (wanted: Asked, enabled: boolean) => useQuery({ ...firstRows(wanted), enabled });

/**
 * The selection that the table shows: the one asked for, or, while its filter is refused, the last one that was not.
 * Whether a filter is right is what the server says of it: its rows are asked for, and shown when they are there.
 */
export function useValidSelection(wanted: Asked, enabled: boolean): { selection: Selection; error: ApiError | null } {
  const asked = wanted.selection;
  const [held, setHeld] = useState<Selection>({ ...asked, filter: "" });
  const probe = useQuery({ ...firstRows(wanted), enabled: enabled && asked.filter !== "" });
  const refused =
    asked.filter !== "" && probe.error instanceof ApiError && probe.error.status === 400 ? probe.error : null;
  const unknown = asked.filter !== "" && asked.filter !== held.filter && (probe.isPending || probe.isPlaceholderData);
  const valid = refused === null && !unknown;
  useEffect(() => {
    if (valid) setHeld(asked);
  }, [valid, asked]);
  const kept = useMemo(() => ({ ...asked, filter: held.filter }), [asked, held.filter]);
  return { selection: valid ? asked : kept, error: refused };
}

/** How many runs an experiment has, and in which states. */
export const useCounts = (experimentId: string) => useQuery(counts(experimentId));

export const counts = (experimentId: string) =>
  queryOptions({
    queryKey: [...keys.runs(experimentId), "counts of all"],
    queryFn: ({ signal }) => post(PATH, { experiment_ids: [experimentId], max_rows: 0 }, { signal }),
  });

/** The groups of the selection. */
export function useGroups({ experimentId, selection, columns, view }: Wanted) {
  const aggregates = columns
    .filter((column) => column.kind === "metric" && column.aggregate !== "curve")
    .map(wireColumn);
  const by = view.group.map(wireColumn);
  return useQuery({
    queryKey: [...keys.runs(experimentId), "groups", selection, by, aggregates],
    queryFn: ({ signal }) =>
      post(
        "/api/2.0/stele/runs/groups",
        { ...selection, group_by: by, aggregates: aggregates.slice(0, 50), max_groups: 10_000 },
        { signal },
      ),
    placeholderData: keepPreviousData,
    enabled: by.length > 0,
  });
}

/** The list to scroll over. */
export function useLayout(wanted: Wanted, rowsTotal: number, groups: readonly Group[] | undefined): Layout {
  const { selection, view, unfolded } = wanted;
  return useMemo(() => {
    if (view.group.length === 0) return layOut([{ kind: "rows", selection, count: rowsTotal }]);
    const segments = (groups ?? []).flatMap((group): Segment[] => {
      const id = groupId(group);
      const header: Segment = { kind: "header", group, id, folded: !unfolded.has(id), count: 1 };
      if (header.folded) return [header];
      const within = group.key.map((value, i) => ({ column: wireColumn(view.group[i]!), value: value ?? undefined }));
      return [header, { kind: "rows", selection: { ...selection, within }, count: group.count }];
    });
    return layOut(segments);
  }, [selection, view.group, unfolded, rowsTotal, groups]);
}

/** Rows from `first` to `last` of the list; those that are not there yet are undefined. */
export function useRowsInSight(
  wanted: Wanted,
  layout: Layout,
  first: number,
  last: number,
): (index: number) => Row | undefined {
  const { experimentId, columns, view, expanded } = wanted;
  const wire = useMemo(() => columns.map(wireColumn), [columns]);
  const tree = view.tree && view.group.length === 0;
  const blocks = blocksBetween(layout, first, last);
  const answers = useQueries({
    queries: blocks.map(({ selection, offset }) => ({
      queryKey: [...keys.runs(experimentId), "rows", selection, wire, tree ? expanded : null, offset],
      queryFn: ({ signal }: { signal: AbortSignal }) =>
        post(
          PATH,
          { ...selection, columns: wire, offset, max_rows: BLOCK, tree, expanded: tree ? [...expanded] : [] },
          { signal },
        ),
      // A changed filter, order or column keeps the old rows at their place until the new ones are there.
      placeholderData: (held: Answer | undefined, of: { queryKey: readonly unknown[] } | undefined) =>
        of?.queryKey.at(-1) === offset ? held : undefined,
    })),
  });
  const found = new Map<string, readonly Row[]>();
  blocks.forEach((block, i) => {
    const rows = answers[i]?.data?.rows;
    if (rows) found.set(blockKey(block.selection, block.offset), rows);
  });
  return (index) => {
    const place = locate(layout, index);
    if (!place || place.segment.kind !== "rows") return undefined;
    const offset = Math.floor(place.offset / BLOCK) * BLOCK;
    return found.get(blockKey(place.segment.selection, offset))?.[place.offset - offset];
  };
}

type Answer = Awaited<ReturnType<typeof post<typeof PATH>>>;

const blockKey = (selection: Selection, offset: number): string => `${JSON.stringify(selection.within)}${offset}`;

/** Runs by id, whatever the filter: pinned ones and the baseline. */
export function useRunsById(experimentId: string, runIds: readonly string[], columns: readonly ColumnRef[]): Row[] {
  const wire = columns.map(wireColumn);
  const { data } = useQuery({
    queryKey: [...keys.runs(experimentId), "by id", runIds, wire],
    queryFn: ({ signal }) =>
      post(
        PATH,
        { experiment_ids: [experimentId], view: "ALL", archived: "include", run_ids: [...runIds], columns: wire },
        { signal },
      ),
    placeholderData: keepPreviousData,
    enabled: runIds.length > 0,
  });
  return runIds.length > 0 ? (data?.rows ?? []) : [];
}

/** The range of each column over the whole selection, for heat. */
export function useRanges(
  experimentId: string,
  selection: Selection,
  columns: readonly ColumnRef[],
): (readonly [number, number] | null)[] {
  const answers = useQueries({
    queries: columns.map((column) => ({
      queryKey: [...keys.runs(experimentId), "range", selection, wireColumn(column)],
      queryFn: ({ signal }: { signal: AbortSignal }) =>
        post("/api/2.0/stele/runs/values", { ...selection, column: wireColumn(column) }, { signal }),
    })),
  });
  return answers.map(({ data }) =>
    data && typeof data.min === "number" && typeof data.max === "number" ? [data.min, data.max] : null,
  );
}

/** Which columns differ among the selected runs. */
export const useDiffering = (experimentId: string, selection: Selection, enabled: boolean) =>
  useQuery({
    queryKey: [...keys.runs(experimentId), "differing", selection],
    queryFn: ({ signal }) => post("/api/2.0/stele/runs/differing", selection, { signal }),
    placeholderData: keepPreviousData,
    enabled,
  });
