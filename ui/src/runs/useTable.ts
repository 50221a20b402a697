/** What the table shows, from the server: counts, groups, rows in sight, pinned rows. */

import { keepPreviousData, useQueries, useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { post } from "../api/client";
import { ApiError } from "../api/http";
import { keys } from "../api/queries";
import { wireColumn, type Row, type Selection } from "./selection";
import { BLOCK, blocksBetween, groupId, layOut, locate, type Group, type Layout, type Segment } from "./segments";
import { counts, firstRows, PATH, runKeys, type Asked } from "./tableQueries";
import type { ColumnRef } from "./view";

export const useRunKeys = (experimentId: string) => useQuery(runKeys(experimentId));

interface Wanted extends Asked {
  unfolded: ReadonlySet<string>;
}

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

export const useCounts = (experimentId: string) => useQuery(counts(experimentId));

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
