/** Which runs a charts page lists and draws. */

import { useQueries, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { runColor } from "../../format/colors";
import { MISSING } from "../../format/figures";
import type { Row, Selection } from "../../runs/selection";
import type { ColumnRef, RunsView } from "../../runs/view";
import { FEW, MOST, type ChartSettings } from "../board/settings";
import { conditionsOf, groupName, groupsQuery, rowsQuery, type Cell, type RunGroup } from "../data/runs";
import { dashesOf } from "../line/dashes";
import type { DrawnRun, Group } from "../line/model";

/** Rows of a group that are listed before "more" is asked for. */
export const GROUP_ROWS = 8;
const COLORS = 12;
/** Rows that the list reads at once. The runs to draw come with the first ones. */
export const PAGE = 200;
/** Rows that the server gives at once. */
const MOST_ROWS = 1000;

export interface ListedGroup {
  name: string;
  group: RunGroup;
}

/** Columns that rows are asked for with: those that the list shows, then those of the groups. */
export const askedColumns = (shown: readonly ColumnRef[], group: readonly ColumnRef[]): ColumnRef[] => [
  ...shown,
  ...group,
];

const labelOf = ({ key }: RunGroup): string => key.map((value) => value ?? MISSING).join(", ");

const nameOf = (row: Row): string => row.name || row.run_id.slice(0, 8);

/** Groups of the view with names; a name is what a group is known by everywhere in charts. */
export function useGroups(experimentId: string, selection: Selection, view: RunsView, aggregate: ColumnRef | null) {
  const answer = useQuery(groupsQuery(experimentId, selection, view.group, aggregate));
  const groups = useMemo(
    (): ListedGroup[] =>
      view.group.length === 0
        ? []
        : (answer.data?.groups ?? []).map((group) => ({ name: groupName(view.group, group.key), group })),
    [answer.data, view.group],
  );
  return { ...answer, groups, total: answer.data?.total ?? 0 };
}

/** How many rows of each group are drawn, so that all together are about as many as without groups. */
const eachOf = (groups: number): number => Math.max(1, Math.min(GROUP_ROWS, Math.ceil(FEW / groups)));

export interface DrawnRuns {
  runs: DrawnRun[];
  groups: Group[];
  matched: number;
  total: number;
  /** Runs that would be drawn but for the limit of a chart. */
  beyond: number;
  version: string;
  pending: boolean;
  error: unknown;
}

interface Asked {
  experimentId: string;
  selection: Selection;
  view: RunsView;
  settings: ChartSettings;
  columns: readonly ColumnRef[];
  groups: readonly ListedGroup[];
  /** What a brush has left, in the order of the table; null without one. */
  brushed: readonly string[] | null;
}

/**
 * The runs whose curves are drawn: the first ones of the table, or of each group, or those that a brush has left; and
 * those that a person has added; without the hidden ones.
 */
export function useDrawnRuns({ experimentId, selection, view, settings, columns, groups, brushed }: Asked): DrawnRuns {
  const asked = askedColumns(columns, view.group);
  const byGroup = groups.length > 0 && settings.show === FEW && brushed === null;
  const first = useQuery(
    rowsQuery(experimentId, selection, asked, {
      rows: Math.min(MOST_ROWS, Math.max(PAGE, settings.show + view.hidden.length)),
    }),
  );
  const each = useQueries({
    queries: (byGroup ? groups.slice(0, FEW) : []).map(({ group }) =>
      rowsQuery(experimentId, selection, asked, { rows: GROUP_ROWS, within: conditionsOf(view.group, group) }),
    ),
  });
  const wanted = [...(brushed ?? []).filter((id) => !view.hidden.includes(id)).slice(0, settings.show)];
  const extra = [...new Set([...wanted, ...settings.shown, ...view.pinned])].slice(0, MOST);
  const others = useQuery({
    ...rowsQuery(experimentId, selection, asked, { rows: extra.length, ids: extra }),
    enabled: extra.length > 0,
  });
  const stamp = [first, others, ...each].map(({ dataUpdatedAt }) => dataUpdatedAt).join();

  const drawn = useMemo(() => {
    const base = brushed
      ? []
      : byGroup
        ? each.flatMap(({ data }) => (data?.rows ?? []).filter(notHidden(view.hidden)).slice(0, eachOf(groups.length)))
        : (first.data?.rows ?? []).filter(notHidden(view.hidden)).slice(0, settings.show);
    const added = extra.length > 0 ? (others.data?.rows ?? []) : [];
    const all = unique([...base, ...added.filter(notHidden(view.hidden)).filter((row) => extra.includes(row.run_id))]);
    const rows = all.slice(0, MOST);
    const dashes = dashesOf(rows.map((row) => row.run_id));
    const runs = rows.map((row, i): DrawnRun => ({
      runId: row.run_id,
      name: nameOf(row),
      live: row.status === "RUNNING",
      color: runColor(row.run_id),
      dash: dashes[i]!,
      group: groupName(view.group, row.values.slice(columns.length) as Cell[]),
    }));
    return { runs, beyond: all.length - rows.length };
    // The answers are other objects each time; their times say when one has changed.
  }, [stamp, byGroup, brushed, view.hidden, view.group, settings.show, settings.shown, view.pinned, groups, columns]);

  const colors = useMemo(
    () => groups.map(({ name, group }, i): Group => ({ name, label: labelOf(group), color: (i % COLORS) + 1 })),
    [groups],
  );
  return {
    ...drawn,
    groups: colors,
    matched: first.data?.matched ?? 0,
    total: first.data?.total ?? 0,
    version: stamp,
    pending: first.isPending,
    error: first.error,
  };
}

const notHidden =
  (hidden: readonly string[]) =>
  (row: Row): boolean =>
    !hidden.includes(row.run_id);

function unique(rows: readonly Row[]): Row[] {
  const seen = new Set<string>();
  return rows.filter(({ run_id: id }) => !seen.has(id) && seen.add(id));
}
