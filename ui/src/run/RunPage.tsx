/** One run: what it is, its curves, files, and what it came from. */

import { useQuery } from "@tanstack/react-query";
import { useNavigate, useParams, useSearch, type LinkProps } from "@tanstack/react-router";
import { lazy, Suspense } from "react";
import { useLive } from "../api/events";
import { experimentQuery, runQuery } from "../api/queries";
import { count } from "../format/figures";
import { exact } from "../format/times";
import { Button, Chip, CopyButton } from "../kit/controls";
import { Moment, RunDot, Status } from "../kit/marks";
import { Menu } from "../kit/Popover";
import { Loading, Problem } from "../kit/states";
import { changeRuns } from "../runs/actions";
import { Duration } from "../runs/Cell";
import { registerModel } from "../models/data";
import { Page, type Crumb, type Tab } from "../shell/Page";
import { useShortcuts } from "../shell/shortcuts";
import { renameRun } from "./actions";
import { loadCharts } from "./askAhead";
import { toRun } from "./links";
import { Overview } from "./Overview";
import { isSystemMetric, runData, TAGS, type RunData } from "./runData";
import { useNeighbours } from "./useNeighbours";
import "./run.css";

const ArtifactsTab = lazy(() => import("./artifacts/ArtifactsTab"));
const RunCharts = lazy(loadCharts);
const LogsTab = lazy(() => import("./LogsTab"));
const ChildrenTab = lazy(() => import("./ChildrenTab"));
const CodeTab = lazy(() => import("./CodeTab"));
const EnvironmentTab = lazy(() => import("./EnvironmentTab"));

/** MLflow's names of the tabs lead to ours. */
const ALIASES: Record<string, string> = {
  "model-metrics": "charts",
  "system-metrics": "system",
  traces: "overview",
  "": "overview",
};

export default function RunPage() {
  const { experimentId = "", runId = "", _splat = "" } = useParams({ strict: false });
  const { data: run, error, refetch } = useQuery(runQuery(runId));
  useLive([experimentId], [runId]);
  const [name = "", ...rest] = _splat.split("/");
  const tab = ALIASES[name] ?? name;
  if (error)
    return (
      <main>
        <Problem what={`Run ${runId} could not be opened`} error={error} onRetry={() => void refetch()} />
      </main>
    );
  if (!run)
    return (
      <main>
        <Loading rows={20} />
      </main>
    );
  return <OneRun data={runData(run)} tab={tab} path={rest.join("/")} />;
}

function OneRun({ data, tab, path }: { data: RunData; tab: string; path: string }) {
  const { id, experimentId, tags } = data;
  const navigate = useNavigate();
  const search = useSearch({ strict: false }) as { base?: string };
  const { data: experiment } = useQuery(experimentQuery(experimentId));
  const parent = useQuery({ ...runQuery(tags.get(TAGS.parent) ?? ""), enabled: tags.has(TAGS.parent) });
  const crumbs: Crumb[] = [
    { text: "Experiments", link: { to: "/experiments" } },
    {
      text: experiment?.name ?? experimentId,
      link: { to: "/experiments/$experimentId", params: { experimentId } } as LinkProps,
    },
  ];
  if (parent.data)
    crumbs.push({
      text: parent.data.info.run_name || parent.data.info.run_id.slice(0, 8),
      link: toRun(experimentId, parent.data.info.run_id),
    });
  const tabs = tabsOf(data).map(([key, text, badge]): Tab => ({
    text,
    count: badge,
    on: key === tab,
    link: { ...toRun(experimentId, id, key === "overview" ? "" : key), search: true } as LinkProps,
  }));
  useShortcuts(
    tabs
      .slice(0, 9)
      .map((one, i) => ({ keys: String(i + 1), does: `Tab ${one.text}`, run: () => void navigate(one.link as never) })),
  );
  return (
    <Page
      crumbs={crumbs}
      title={data.name}
      mark={<RunDot runId={id} />}
      chips={<Chips data={data} />}
      actions={<Actions data={data} />}
      meta={<Meta data={data} />}
      tabs={tabs}
    >
      <Suspense fallback={<Loading rows={16} />}>
        <Content data={data} tab={tab} path={path} baseline={search.base ?? ""} />
      </Suspense>
    </Page>
  );
}

function tabsOf({ metrics }: RunData): (readonly [string, string, string?])[] {
  const system = [...metrics.keys()].filter(isSystemMetric).length;
  return [
    ["overview", "Overview"],
    ["charts", "Charts", count(metrics.size - system)],
    ["system", "System", system > 0 ? count(system) : undefined],
    ["artifacts", "Artifacts"],
    ["logs", "Logs"],
    ["children", "Children"],
    ["code", "Code"],
    ["environment", "Environment"],
  ];
}

function Content({ data, tab, path, baseline }: { data: RunData; tab: string; path: string; baseline: string }) {
  switch (tab) {
    case "artifacts":
      return <ArtifactsTab data={data} path={path} />;
    case "charts":
      return <RunCharts runs={[{ runId: data.id, name: data.name }]} without="system/" />;
    case "system":
      return <RunCharts runs={[{ runId: data.id, name: data.name }]} prefix="system/" />;
    case "logs":
      return <LogsTab data={data} />;
    case "children":
      return <ChildrenTab data={data} />;
    case "code":
      return <CodeTab data={data} />;
    case "environment":
      return <EnvironmentTab data={data} />;
    default:
      return <Overview data={data} baseline={baseline} />;
  }
}

function Chips({ data: { run, tags } }: { data: RunData }) {
  return (
    <>
      {run.info.status === "FINISHED" ? <Chip icon="check">Finished</Chip> : <Status status={run.info.status} />}
      {run.info.lifecycle_stage === "deleted" && <Chip tone="fail">deleted</Chip>}
      {tags.get("stele.archived") === "true" && <Chip>archived</Chip>}
    </>
  );
}

/** Identity, when, who, from which code, where: one line under the name. */
function Meta({ data: { run, id, tags } }: { data: RunData }) {
  const { info } = run;
  const commit = tags.get(TAGS.commit);
  const items: [string, React.ReactNode][] = [
    [
      "ID",
      <span className="mono" key="id">
        {id} <CopyButton text={id} label="Copy id" alone />
      </span>,
    ],
    [
      "Started",
      <span key="at" title={exact(info.start_time)}>
        <Moment time={info.start_time} />
      </span>,
    ],
    [
      "Took",
      <Duration
        key="took"
        row={{ start_time: info.start_time, end_time: info.end_time ?? null, status: info.status }}
      />,
    ],
    ["By", tags.get(TAGS.user) ?? info.user_id],
  ];
  if (commit)
    items.push([
      "Commit",
      <span key="commit" className="mono">
        {commit.slice(0, 8)} {tags.get(TAGS.dirty) === "true" && <Chip tone="warn">uncommitted changes</Chip>}
      </span>,
    ]);
  if (tags.get(TAGS.source))
    items.push([
      "Source",
      <span key="source" className="mono ell" title={tags.get(TAGS.source)}>
        {tags.get(TAGS.source)!.split("/").at(-1)}
      </span>,
    ]);
  if (tags.get(TAGS.host)) items.push(["On", [tags.get(TAGS.host), tags.get(TAGS.gpu)].filter(Boolean).join(" · ")]);
  return (
    <div className="meta-line">
      {items
        .filter(([, value]) => value)
        .map(([name, value]) => (
          <span key={name}>
            <span className="dim">{name}</span> {value}
          </span>
        ))}
    </div>
  );
}

function Actions({ data }: { data: RunData }) {
  const navigate = useNavigate();
  const { previous, next, place } = useNeighbours(data.experimentId, data.id);
  const deleted = data.run.info.lifecycle_stage === "deleted";
  const archived = data.tags.get("stele.archived") === "true";
  const model = data.run.outputs?.model_outputs?.at(-1)?.model_id;
  const register = async (modelId: string) => {
    const made = await registerModel(modelId, data.id);
    if (made) void navigate({ to: "/models/$name/versions/$version", params: made });
  };
  const go = (runId: string | null) => runId && void navigate(toRun(data.experimentId, runId) as never);
  const compare = () =>
    void navigate({
      to: "/experiments/$experimentId/$tab",
      params: { experimentId: data.experimentId, tab: "compare" },
      search: { runs: [data.id] } as never,
    });
  useShortcuts([
    { keys: "k", does: "Previous run", run: () => go(previous) },
    { keys: "j", does: "Next run", run: () => go(next) },
    { keys: "c", does: "Compare with other runs", run: compare },
    {
      keys: "e",
      does: "Archive",
      run: () => void changeRuns(data.experimentId, [data.id], archived ? "unarchive" : "archive"),
    },
    { keys: "Delete", does: "Delete", run: () => void changeRuns(data.experimentId, [data.id], "delete") },
  ]);
  return (
    <>
      {place && (
        <span className="dim nw">
          {place} <kbd>K</kbd> <kbd>J</kbd>
        </span>
      )}
      <Button icon="compare" onClick={compare}>
        Compare
      </Button>
      {model && !deleted && (
        <Button icon="cube" onClick={() => void register(model)}>
          Register model
        </Button>
      )}
      <Menu
        label="More"
        items={[
          { text: "Rename", icon: "doc", onChoose: () => void renameRun(data) },
          {
            text: "Use as baseline",
            icon: "pin",
            onChoose: () =>
              void navigate({
                to: "/experiments/$experimentId",
                params: { experimentId: data.experimentId },
                search: { base: data.id } as never,
              }),
          },
          {
            text: archived ? "Unarchive" : "Archive",
            icon: "archive",
            keys: "e",
            onChoose: () => void changeRuns(data.experimentId, [data.id], archived ? "unarchive" : "archive"),
          },
          null,
          deleted
            ? {
                text: "Restore",
                icon: "undo",
                onChoose: () => void changeRuns(data.experimentId, [data.id], "restore"),
              }
            : {
                text: "Delete",
                icon: "trash",
                bad: true,
                keys: "Del",
                onChoose: () => void changeRuns(data.experimentId, [data.id], "delete"),
              },
        ]}
      />
    </>
  );
}
