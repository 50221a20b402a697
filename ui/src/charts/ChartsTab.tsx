import { useCallback, useMemo, useState } from "react";
import { Loading, Problem } from "../kit/states";
import { FilterBar } from "../runs/filter/FilterBar";
import { GroupMenu } from "../runs/OrderMenus";
import { selectionOf } from "../runs/selection";
import { useRunKeys, useValidSelection } from "../runs/useTable";
import { useRunsView } from "../runs/useRunsView";
import { Board } from "./board/Board";
import { useChartSettings } from "./board/useChartSettings";
import { StageFor } from "./board/StageFor";
import { RunList } from "./list/RunList";
import { listColumns, suggestedCharts } from "./list/suggest";
import { useDrawnRuns, useGroups } from "./list/useRunList";
import "./list/list.css";

const NONE: never[] = [];

/** Every metric of an experiment's runs as curves, and pictures of what their params do. */
export default function ChartsTab({ experimentId }: { experimentId: string }) {
  const [view, changeView] = useRunsView();
  const [settings, change] = useChartSettings();
  const [brushed, setBrushed] = useState<readonly string[] | null>(null);
  const asked = useMemo(
    () => selectionOf(experimentId, view),
    [experimentId, view.filter, view.sort, view.deleted, view.archived],
  );
  const { selection, error: refusal } = useValidSelection(
    { experimentId, selection: asked, columns: NONE, view, expanded: NONE },
    true,
  );
  const runKeys = useRunKeys(experimentId);
  const keys = useMemo(() => runKeys.data ?? [], [runKeys.data]);
  const metrics = useMemo(() => keys.flatMap(({ kind, name }) => (kind === "metric" ? [name] : [])), [keys]);
  const columns = useMemo(() => listColumns(keys, view.columns, view.sort), [keys, view.columns, view.sort]);
  const metric = columns.find(({ kind }) => kind === "metric") ?? null;
  const { groups, total } = useGroups(experimentId, selection, view, metric);
  const drawn = useDrawnRuns({
    experimentId,
    selection,
    view,
    settings,
    groups,
    brushed,
  });
  const suggested = useMemo(() => suggestedCharts(keys, metric, drawn.matched), [keys, metric, drawn.matched]);
  const source = useMemo(
    () => ({ experimentId, selection, brushed, brush: setBrushed }),
    [experimentId, selection, brushed],
  );
  const onFilter = useCallback((filter: string) => changeView({ filter }), [changeView]);

  const toggle = (runId: string) => {
    if (drawn.runs.some((run) => run.runId === runId)) changeView({ hidden: [...view.hidden, runId] });
    else if (view.hidden.includes(runId)) changeView({ hidden: view.hidden.filter((id) => id !== runId) });
    else change({ shown: [...settings.shown, runId] });
  };

  if (runKeys.error && !runKeys.data) {
    return (
      <Problem what="The metrics could not be read" error={runKeys.error} onRetry={() => void runKeys.refetch()} />
    );
  }
  if (!runKeys.data) return <Loading rows={10} />;
  const grouped = view.group.map(({ key }) => key).join(", ");
  return (
    <StageFor runs={drawn.runs} groups={drawn.groups} stamp={drawn.version} source={source}>
      <div className="charts-split">
        <div className="run-list">
          <div className="chart-bar">
            <FilterBar
              experimentId={experimentId}
              filter={view.filter}
              total={drawn.total}
              keys={keys}
              error={refusal}
              onFilter={onFilter}
            />
            <GroupMenu view={view} shown={columns} keys={keys} change={changeView} />
          </div>
          <RunList
            {...{ experimentId, selection, view, columns, groups, drawn }}
            groupsTotal={total}
            onToggle={toggle}
            onShow={(show) => change({ show })}
          />
        </div>
        <Board
          keys={metrics}
          suggested={suggested}
          aside={
            grouped && (
              <button
                type="button"
                className="n aside"
                aria-pressed={settings.mean}
                onClick={() => change({ mean: !settings.mean })}
              >
                {settings.mean ? `mean ± sd per ${grouped}` : `every run · show mean per ${grouped}`}
              </button>
            )
          }
        />
      </div>
    </StageFor>
  );
}
