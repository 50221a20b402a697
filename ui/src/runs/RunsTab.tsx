/** The runs of an experiment: filter, table, selection, counts. */

import { useNavigate } from "@tanstack/react-router";
import { useCallback, useMemo, useRef, useState } from "react";
import { count } from "../format/figures";
import { Button, Switch } from "../kit/controls";
import { statusText } from "../kit/marks";
import { Empty, Loading, Problem } from "../kit/states";
import { useWhile } from "../kit/useWhile";
import { announceProblem } from "../shell/undo";
import { matchingIds } from "./actions";
import { ColumnsMenu } from "./ColumnsMenu";
import { inGroups, usualColumns } from "./columns";
import { exportCsv } from "./csv";
import { FilterBar } from "./filter/FilterBar";
import { FirstRun } from "./FirstRun";
import { NothingMatches } from "./NothingMatches";
import { GroupMenu, SortMenu } from "./OrderMenus";
import { RunsTable } from "./RunsTable";
import { SelectionBar } from "./SelectionBar";
import { useSelected } from "./selected";
import { selectionOf, type Row } from "./selection";
import { useTableModel } from "./tableModel";
import { useCurves } from "./useCurves";
import { useLanded, type Range } from "./useLanded";
import { useTableKeys } from "./useTableKeys";
import { useRunsView } from "./useRunsView";
import { askForRows, valueColumns } from "./tableQueries";
import {
  useDiffering,
  useFirstRows,
  useGroups,
  useLayout,
  useRanges,
  useRowsInSight,
  useRunKeys,
  useRunsById,
  useValidSelection,
} from "./useTable";
import { columnId, parseColumn, type Sort } from "./view";

/** How long rows wait for the keys, in milliseconds: with them they come with all columns, later without for now. */
const PATIENCE = 150;

export function RunsTab({ experimentId, experimentName }: { experimentId: string; experimentName: string }) {
  const [view, change] = useRunsView();
  const navigate = useNavigate();
  const selected = useSelected();
  const [expanded, setExpanded] = useState<string[]>([]);
  const [unfolded, setUnfolded] = useState<ReadonlySet<string>>(new Set());
  const [current, setCurrent] = useState(-1);
  const [range, setRange] = useState<Range>({ first: 0, last: 40 });
  const filter = useRef<HTMLInputElement>(null);
  const anchor = useRef(-1);

  const asked = useMemo(
    () => selectionOf(experimentId, view),
    // What else is in the view does not change which runs are meant.
    [experimentId, view.filter, view.sort, view.deleted, view.archived],
  );
  const runKeys = useRunKeys(experimentId);
  const keyList = useMemo(() => runKeys.data ?? [], [runKeys.data]);
  const numericParams = useMemo(
    () => new Set(keyList.filter((key) => key.kind === "param" && key.numeric).map(({ name }) => name)),
    [keyList],
  );

  const chosen = useMemo(() => view.columns ?? inGroups(usualColumns(keyList)), [view.columns, keyList]);
  const patient = useWhile(PATIENCE);
  const ready = !runKeys.isPending || view.columns !== null || !patient;
  const { selection, error: refusal } = useValidSelection(
    { experimentId, selection: asked, columns: useMemo(() => valueColumns(chosen), [chosen]), view, expanded },
    ready,
  );
  const differing = useDiffering(experimentId, selection, view.onlyDiffering);
  const shown = useMemo(() => {
    if (!view.onlyDiffering || !differing.data) return chosen;
    const different = new Set(differing.data.differing.map(({ kind, key }) => `${kind}:${key}`));
    return chosen.filter(({ kind, key }) => kind === "attribute" || different.has(`${kind}:${key}`));
  }, [chosen, view.onlyDiffering, differing.data]);
  const hiddenByDiffering = chosen.length - shown.length;

  const columns = useMemo(() => valueColumns(shown), [shown]);
  const wanted = { experimentId, selection, columns, view, expanded, unfolded };
  const first = useFirstRows(wanted, ready);
  const groups = useGroups(wanted);
  const layout = useLayout(wanted, first.data?.rows_total ?? 0, groups.data?.groups);
  const landed = useLanded(range);
  const rowAt = useRowsInSight(wanted, layout, landed.first, landed.last);
  const pinned = useRunsById(experimentId, view.pinned, columns);
  const baseline = useRunsById(experimentId, view.baseline ? [view.baseline] : [], columns)[0] ?? null;

  const sight: Row[] = [];
  for (let i = range.first; i <= range.last; i++) {
    const row = rowAt(i);
    if (row) sight.push(row);
  }
  const seen = sight.length > 0 ? sight : (first.data?.rows.slice(0, 40) ?? []);
  const version = first.data?.version ?? "";
  const curves = useCurves(
    experimentId,
    shown,
    [...pinned, ...sight].map((row) => row.run_id),
    version,
  );
  const heated = view.heat.map(parseColumn).filter((column) => column !== null);
  const ranges = useRanges(experimentId, selection, heated);
  const rangeById = new Map(heated.flatMap((column, i) => (ranges[i] ? [[columnId(column), ranges[i]] as const] : [])));
  const model = useTableModel({
    columns: shown,
    view,
    rows: useSteady(seen, `${version} ${columns.length} ${seen[0]?.values.length}`),
    baseline,
    numericParams,
    ranges: useSteadyMap(rangeById),
    curves,
  });

  const onFilter = useCallback((next: string) => change({ filter: next }), [change]);
  const onRange = useCallback(
    (from: number, to: number) =>
      setRange((held) => (held.first === from && held.last === to ? held : { first: from, last: to })),
    [],
  );
  const onAimSort = useCallback(
    (sort: Sort[]) => {
      const next = { ...view, sort };
      void askForRows({ experimentId, selection: selectionOf(experimentId, next), columns, view: next, expanded });
    },
    [experimentId, view, columns, expanded],
  );
  const onFold = useCallback(
    (runId: string) =>
      setExpanded((held) => (held.includes(runId) ? held.filter((id) => id !== runId) : [...held, runId])),
    [],
  );
  const onFoldGroup = useCallback((id: string) => {
    setUnfolded((held) => {
      const next = new Set(held);
      if (!next.delete(id)) next.add(id);
      return next;
    });
  }, []);
  const at = useRef(rowAt);
  at.current = rowAt;
  const onPick = useCallback(
    (index: number, event: { shiftKey: boolean }) => {
      const row = index < 0 ? undefined : at.current(index);
      if (event.shiftKey && anchor.current >= 0 && index >= 0) {
        const [from, to] = [Math.min(anchor.current, index), Math.max(anchor.current, index)];
        const ids = Array.from({ length: to - from + 1 }, (_, i) => at.current(from + i)?.run_id).filter(
          (id) => id !== undefined,
        );
        selected.set(ids, true);
      } else if (row) selected.toggle(row.run_id);
      if (index >= 0) anchor.current = index;
    },
    [selected],
  );

  const matched = first.data?.matched ?? 0;
  const total = first.data?.total ?? 0;
  const allSelected = selected.ids.size === 0 ? false : selected.ids.size >= matched && matched > 0 ? true : "part";
  const onSelectAll = useCallback(() => {
    if (allSelected === true) selected.clear();
    else void matchingIds(selection).then(selected.only, announceProblem);
  }, [allSelected, selected, selection]);
  const onCompare = () => {
    const runs = [...selected.ids];
    if (runs.length > 1)
      void navigate({
        to: "/experiments/$experimentId/$tab",
        params: { experimentId, tab: "compare" },
        search: { runs } as never,
      });
  };
  const onChart = () =>
    void navigate({
      to: "/experiments/$experimentId/$tab",
      params: { experimentId, tab: "charts" },
      search: ((held: object) => ({ ...held, pin: [...selected.ids].slice(0, 100) })) as never,
    });
  const onCsv = () =>
    void exportCsv(experimentName, selection, shown, selected.ids.size > 0 ? selected.ids : null).catch(
      announceProblem,
    );
  useTableKeys({
    experimentId,
    layout,
    rowAt,
    current,
    setCurrent,
    selected,
    view,
    change,
    onFold,
    onFoldGroup,
    onCompare,
    onFilter: () => filter.current?.focus(),
  });

  const nothing = first.data !== undefined && !first.isPlaceholderData;
  const filtered = view.filter !== "" || view.archived === "only" || view.deleted;
  return (
    <>
      <div className="qbar">
        <FilterBar
          ref={filter}
          experimentId={experimentId}
          filter={view.filter}
          total={total}
          keys={keyList}
          error={refusal}
          onFilter={onFilter}
        />
        <GroupMenu view={view} shown={shown} keys={keyList} change={change} />
        <SortMenu view={view} shown={shown} keys={keyList} change={change} />
        <ColumnsMenu keys={keyList} shown={shown} change={change} />
        <Button
          icon="archive"
          title={view.archived === "include" ? "Hide archived runs" : "Show archived runs too"}
          on={view.archived === "include"}
          onClick={() => change({ archived: view.archived === "include" ? "exclude" : "include" })}
        />
        <Button
          icon="trash"
          title={view.deleted ? "Back to active runs" : "Deleted runs"}
          on={view.deleted}
          onClick={() => {
            selected.clear();
            change({ deleted: !view.deleted });
          }}
        />
        <Switch on={view.onlyDiffering} onChange={(on) => change({ onlyDiffering: on })}>
          Only what differs
          {view.onlyDiffering && hiddenByDiffering > 0 && <span className="n">{count(hiddenByDiffering)} hidden</span>}
        </Switch>
      </div>
      <div className="tw">
        {first.isPending && !first.error ? (
          <Loading rows={24} />
        ) : first.error && !first.data ? (
          <Problem what="The runs could not be read" error={first.error} onRetry={() => void first.refetch()} />
        ) : nothing && total === 0 && !filtered ? (
          <FirstRun experimentName={experimentName} />
        ) : nothing && matched === 0 && pinned.length === 0 ? (
          view.filter ? (
            <NothingMatches
              experimentId={experimentId}
              selection={selection}
              total={total}
              onFilter={(next) => change({ filter: next })}
            />
          ) : (
            <Empty title="No runs here" />
          )
        ) : (
          <RunsTable
            layout={layout}
            rowAt={rowAt}
            pinned={pinned}
            model={model}
            view={view}
            change={change}
            shown={shown}
            selected={selected}
            allSelected={allSelected}
            onSelectAll={onSelectAll}
            onAimSort={onAimSort}
            onPick={onPick}
            current={current}
            onCurrent={setCurrent}
            onFold={onFold}
            onFoldGroup={onFoldGroup}
            onRange={onRange}
          />
        )}
        <SelectionBar
          experimentId={experimentId}
          selected={selected}
          matched={matched}
          view={view}
          change={change}
          onCompare={onCompare}
          onChart={onChart}
          onCsv={onCsv}
        />
      </div>
      <footer className="foot">
        <span>
          <b>{count(total)}</b> {total === 1 ? "run" : "runs"}
        </span>
        {(view.filter || matched !== total) && (
          <span>
            <b>{count(matched)}</b> match
          </span>
        )}
        {groups.data && view.group.length > 0 && <span>{count(groups.data.total)} groups</span>}
        <span className="dim">{statusCounts(first.data?.statuses)}</span>
        <span className="grow" />
        {layout.total > 0 && (
          <span className="dim">
            rows {count(range.first + 1)}–{count(Math.min(range.last + 1, layout.total))}
          </span>
        )}
        {first.data && <span className="dim">{Math.max(1, Math.round(Number(first.data.milliseconds)))} ms</span>}
        <span>
          <kbd>?</kbd> shortcuts
        </span>
      </footer>
    </>
  );
}

function statusCounts(statuses: Record<string, number> | undefined): string {
  const order = ["FINISHED", "RUNNING", "FAILED", "KILLED", "SCHEDULED"];
  return order
    .filter((status) => statuses?.[status])
    .map((status) => `${count(statuses![status]!)} ${statusText(status).toLowerCase()}`)
    .join(" · ");
}

/** Rows whose identity changes only with the data or by whole screens, so that decimals do not flicker while scrolling. */
function useSteady(rows: readonly Row[], about: string): readonly Row[] {
  const held = useRef({ about, rows });
  const away = !rows.some((row) => held.current.rows.includes(row));
  if (held.current.about !== about || away) held.current = { about, rows };
  return held.current.rows;
}

function useSteadyMap(
  map: ReadonlyMap<string, readonly [number, number]>,
): ReadonlyMap<string, readonly [number, number]> {
  const text = JSON.stringify([...map]);
  return useMemo(() => new Map(JSON.parse(text) as [string, [number, number]][]), [text]);
}
