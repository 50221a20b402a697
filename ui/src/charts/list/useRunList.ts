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
/** Rows that the list reads at once. */
export const PAGE = 100;

export interface ListedGroup {
  name: string;
  group: RunGroup;
}

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
  /** Another one whenever the runs may have changed. */
  version: string;
}

interface Asked {
  experimentId: string;
  selection: Selection;
  view: RunsView;
  settings: ChartSettings;
  groups: readonly ListedGroup[];
  /** What a brush has left, in the order of the table; null without one. */
  brushed: readonly string[] | null;
}

/**
 * The runs whose curves are drawn: the first ones of the table, or of each group, or those that a brush has left; and
 * those that a person has added; without the hidden ones.
 */
export function useDrawnRuns({ experimentId, selection, view, settings, groups, brushed }: Asked): DrawnRuns {
  // The columns of the list are not known at once; what is drawn does not wait for them.
  const asked = view.group;
  const byGroup = groups.length > 0 && settings.show === FEW && brushed === null;
  const first = useQuery(rowsQuery(experimentId, selection, asked, { rows: settings.show }));
  const each = useQueries({
    queries: (byGroup ? groups.slice(0, FEW) : []).map(({ group }) =>
      rowsQuery(experimentId, selection, asked, { rows: GROUP_ROWS, within: conditionsOf(view.group, group) }),
    ),
  });
  const wanted = (brushed ?? []).slice(0, settings.show);
  const extra = [...new Set([...wanted, ...settings.shown, ...view.pinned])].slice(0, MOST);
  const others = useQuery({
    ...rowsQuery(experimentId, selection, asked, { rows: extra.length, ids: extra }),
    enabled: extra.length > 0,
  });
  const stamp = [first, others, ...each].map(({ dataUpdatedAt }) => dataUpdatedAt).join();

  const runs = useMemo(() => {
    const base = brushed
      ? []
      : byGroup
        ? each.flatMap(({ data }) => (data?.rows ?? []).slice(0, eachOf(groups.length)))
        : (first.data?.rows ?? []).slice(0, settings.show);
    const added = extra.length > 0 ? (others.data?.rows ?? []) : [];
    const rows = pickRows(base, added, extra, view.hidden);
    const dashes = dashesOf(rows.map((row) => row.run_id));
    return rows.map((row, i): DrawnRun => ({
      runId: row.run_id,
      name: nameOf(row),
      live: row.status === "RUNNING",
      color: runColor(row.run_id),
      dash: dashes[i]!,
      group: groupName(view.group, row.values as Cell[]),
    }));
    // The answers are other objects each time; their times say when one has changed.
  }, [stamp, byGroup, brushed, view.hidden, view.group, settings.show, settings.shown, view.pinned, groups]);

  const colors = useMemo(
    () => groups.map(({ name, group }, i): Group => ({ name, label: labelOf(group), color: (i % COLORS) + 1 })),
    [groups],
  );
  return {
    runs,
    groups: colors,
    matched: first.data?.matched ?? 0,
    total: first.data?.total ?? 0,
    version: stamp,
  };
}

/**
 * The rows to draw: those that the view begins with, then those of `added` that are wanted, each once and none that is
 * hidden, as many as a chart takes.
 */
export function pickRows(
  base: readonly Row[],
  added: readonly Row[],
  wanted: readonly string[],
  hidden: readonly string[],
): Row[] {
  const seen = new Set(hidden);
  const all = [...base, ...added.filter((row) => wanted.includes(row.run_id))];
  return all.filter(({ run_id: id }) => !seen.has(id) && seen.add(id)).slice(0, MOST);
}
