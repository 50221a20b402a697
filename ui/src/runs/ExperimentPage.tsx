import { useQuery } from "@tanstack/react-query";
import { useParams, useSearch, type LinkProps } from "@tanstack/react-router";
import { lazy, Suspense } from "react";
import { useLive } from "../api/events";
import { experimentQuery, type Experiment } from "../api/queries";
import { experimentMenu } from "../experiments/actions";
import { togglePin, usePinned } from "../experiments/pinned";
import { count } from "../format/figures";
import { Button, Chip, CopyButton } from "../kit/controls";
import { Menu } from "../kit/Popover";
import { Loading, Problem } from "../kit/states";
import { Page, type Tab } from "../shell/Page";
import { loadCharts } from "./askAhead";
import { RunsTab } from "./RunsTab";
import { useCounts } from "./useTable";
import { ViewsMenu } from "./ViewsMenu";

const ChartsTab = lazy(loadCharts);
const CompareTab = lazy(() => import("../compare/CompareTab"));
const AboutTab = lazy(() => import("./AboutTab"));

const TABS = [
  ["runs", "Runs"],
  ["charts", "Charts"],
  ["compare", "Compare"],
  ["about", "About"],
] as const;

/** One experiment: its runs as a table, as charts, side by side. */
export default function ExperimentPage() {
  const { experimentId = "", tab = "runs" } = useParams({ strict: false });
  const { data: experiment, error, refetch } = useQuery(experimentQuery(experimentId));
  useLive([experimentId]);
  if (error)
    return (
      <main>
        <Problem what={`Experiment ${experimentId} could not be opened`} error={error} onRetry={() => void refetch()} />
      </main>
    );
  if (!experiment)
    return (
      <main>
        <Loading rows={20} />
      </main>
    );
  return <OneExperiment experiment={experiment} tab={tab} />;
}

function OneExperiment({ experiment, tab }: { experiment: Experiment; tab: string }) {
  const id = experiment.experiment_id;
  const search = useSearch({ strict: false }) as Record<string, unknown>;
  const counts = useCounts(id);
  const compared = Array.isArray(search.runs) ? search.runs.length : undefined;
  const badges: Record<string, string | undefined> = {
    runs: counts.data && count(counts.data.total),
    compare: compared ? count(compared) : undefined,
  };
  const tabs = TABS.map(([key, text]): Tab => ({
    text,
    count: badges[key],
    link: { to: "/experiments/$experimentId/$tab", params: { experimentId: id, tab: key }, search: true } as LinkProps,
    on: key === tab,
  }));
  const running = counts.data?.statuses.RUNNING ?? 0;
  return (
    <Page
      crumbs={[{ text: "Experiments", link: { to: "/experiments" } }]}
      title={experiment.name ?? id}
      chips={<Chips experiment={experiment} />}
      actions={
        <>
          {running > 0 && (
            <Chip tone="run">
              <i className="dot live small" />
              Live · {count(running)} running
            </Chip>
          )}
          <CopyButton text={() => location.href} label="Copy link" />
          <Menu label="More" items={experimentMenu(experiment)} />
        </>
      }
      tabs={tabs}
      tabsEnd={tab === "runs" || tab === "charts" ? <ViewsMenu experimentId={id} /> : undefined}
    >
      <Suspense fallback={<Loading rows={20} />}>
        <Content experiment={experiment} tab={tab} />
      </Suspense>
    </Page>
  );
}

function Content({ experiment, tab }: { experiment: Experiment; tab: string }) {
  const id = experiment.experiment_id;
  switch (tab) {
    case "charts":
      return <ChartsTab experimentId={id} />;
    case "compare":
      return <CompareTab experimentId={id} />;
    case "about":
      return <AboutTab experiment={experiment} />;
    default:
      return <RunsTab experimentId={id} experimentName={experiment.name ?? id} />;
  }
}

function Chips({ experiment }: { experiment: Experiment }) {
  const pinned = usePinned().some(({ id }) => id === experiment.experiment_id);
  const tags = (experiment.tags ?? []).filter(({ key }) => key && !/^(mlflow|stele)\./.test(key));
  const description = experiment.tags?.find(({ key }) => key === "mlflow.note.content")?.value;
  return (
    <>
      <Button
        kind="ghost"
        small
        icon={pinned ? "pin" : "star"}
        title={pinned ? "Unpin experiment" : "Pin experiment"}
        onClick={() => togglePin({ id: experiment.experiment_id, name: experiment.name ?? "" })}
      />
      {tags.slice(0, 3).map(({ key, value }) => (
        <Chip key={key} icon="tag" title={`${key} = ${value}`}>
          {key} {value}
        </Chip>
      ))}
      {experiment.lifecycle_stage === "deleted" && <Chip tone="fail">deleted</Chip>}
      {description && (
        <span className="dim ell" title={description}>
          {description.split("\n")[0]}
        </span>
      )}
    </>
  );
}
