import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { ApiError } from "../api/http";
import { count } from "../format/figures";
import { Field } from "../kit/controls";
import { Loading, Problem } from "../kit/states";
import { Menu } from "../kit/Popover";
import { columnId, useRunsView, type ColumnRef } from "../runs/view";
import { Board } from "./board/Board";
import { useChartSettings } from "./board/settings";
import { StageFor } from "./board/StageFor";
import { keysQuery, selectionOf } from "./data/runs";
import { listColumns, suggestedCharts } from "./list/suggest";
import { RunList } from "./list/RunList";
import { useDrawnRuns, useGroups } from "./list/useRunList";
import "./charts.css";

/** Every metric of an experiment's runs as curves, and pictures of what their params do. */
export default function ChartsTab({ experimentId }: { experimentId: string }) {
  const [view, changeView] = useRunsView();
  const [settings, change] = useChartSettings();
  const [brushed, setBrushed] = useState<readonly string[] | null>(null);
  const selection = useMemo(
    () => selectionOf(experimentId, view),
    [experimentId, view.filter, view.sort, view.deleted, view.archived],
  );
  const keys = useQuery(keysQuery(experimentId));
  const metrics = useMemo(
    () => (keys.data?.keys ?? []).flatMap(({ kind, name }) => (kind === "metric" ? [name] : [])),
    [keys.data],
  );
  const columns = useMemo(
    () => listColumns(keys.data?.keys ?? [], view.columns, view.sort),
    [keys.data, view.columns, view.sort],
  );
  const metric = columns.find(({ kind }) => kind === "metric") ?? null;
  const { groups } = useGroups(experimentId, selection, view, metric);
  const drawn = useDrawnRuns(experimentId, selection, view, settings, columns, groups, brushed);
  const suggested = useMemo(
    () => suggestedCharts(keys.data?.keys ?? [], metric, drawn.matched),
    [keys.data, metric, drawn.matched],
  );
  const source = useMemo(
    () => ({ experimentId, selection, brushed, brush: setBrushed }),
    [experimentId, selection, brushed],
  );

  const toggle = (runId: string) => {
    const on = drawn.runs.some((run) => run.runId === runId);
    if (on) {
      changeView({ hidden: [...view.hidden, runId] });
      return;
    }
    if (view.hidden.includes(runId)) changeView({ hidden: view.hidden.filter((id) => id !== runId) });
    else change({ shown: [...settings.shown, runId] });
  };

  if (keys.error && !keys.data) {
    return <Problem what="The metrics could not be read" error={keys.error} onRetry={() => void keys.refetch()} />;
  }
  if (!keys.data) return <Loading rows={10} />;
  const grouped = view.group.map(({ key }) => key).join(", ");
  return (
    <StageFor runs={drawn.runs} groups={drawn.groups} stamp={drawn.version} source={source}>
      <div className="split">
        <div className="list">
          <div className="tb">
            <Filter
              key={view.filter}
              filter={view.filter}
              matched={drawn.matched}
              error={drawn.error}
              onFilter={(filter) => changeView({ filter })}
            />
            <Menu
              label="Group runs"
              icon="group"
              small={false}
              items={[
                { text: "No groups", icon: grouped ? undefined : "check", onChoose: () => changeView({ group: [] }) },
                null,
                ...groupable(keys.data.keys).map((column) => ({
                  text: column.key,
                  icon: view.group.some((one) => columnId(one) === columnId(column)) ? ("check" as const) : undefined,
                  onChoose: () => changeView({ group: [column] }),
                })),
              ]}
            />
          </div>
          <RunList
            {...{ experimentId, selection, view, columns, groups, drawn }}
            onToggle={toggle}
            onShow={(show) => change({ show })}
          />
        </div>
        <Board
          keys={metrics}
          suggested={suggested}
          extensible
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

const GROUPABLE = 24;

const groupable = (keys: readonly { kind: string; name: string }[]): ColumnRef[] =>
  keys
    .filter(({ kind }) => kind === "param")
    .slice(0, GROUPABLE)
    .map(({ name }) => ({ kind: "param", key: name }));

function Filter({
  filter,
  matched,
  error,
  onFilter,
}: {
  filter: string;
  matched: number;
  error: unknown;
  onFilter: (filter: string) => void;
}) {
  const [text, setText] = useState(filter);
  const refused = error instanceof ApiError && error.status === 400;
  return (
    <form
      className="search grow"
      onSubmit={(event) => {
        event.preventDefault();
        onFilter(text.trim());
      }}
    >
      <Field
        icon="search"
        label="Filter runs"
        placeholder={`Filter ${count(matched)} ${matched === 1 ? "run" : "runs"}`}
        value={text}
        aria-invalid={refused}
        spellCheck={false}
        onChange={setText}
        onBlur={() => text.trim() !== filter && onFilter(text.trim())}
      />
      {refused && (
        <p role="status" className="why">
          {error.message}
        </p>
      )}
    </form>
  );
}
