import { useQuery } from "@tanstack/react-query";
import { Link, useParams, useSearch, type LinkProps } from "@tanstack/react-router";
import { useState } from "react";
import { useLive } from "../api/events";
import { runQuery } from "../api/queries";
import { Chip, CopyButton } from "../kit/controls";
import { Packages } from "../kit/Facts";
import { Moment, RunDot } from "../kit/marks";
import { Empty, Loading, Problem } from "../kit/states";
import { ArtifactBrowser } from "../run/artifacts/ArtifactBrowser";
import { parseMLmodel } from "../run/artifacts/mlmodel";
import { Signature } from "../run/artifacts/MLmodelView";
import { showAddress, type Owner } from "../run/artifacts/owner";
import { parseRequirements } from "../run/environment";
import { readText } from "../run/files";
import { toRun } from "../run/links";
import { MetricsCard } from "../run/MetricsCard";
import { ParamsCard } from "../run/ParamsCard";
import { runData } from "../run/runData";
import { Description, Tags } from "../runs/AboutTab";
import { Page, type Tab } from "../shell/Page";
import { keys } from "../api/queries";
import {
  deleteVersionTag,
  describeVersion,
  eventsQuery,
  modelQuery,
  protectionsQuery,
  setVersionTag,
  versionQuery,
  type Model,
  type Version,
} from "./data";
import { EventsCard } from "./EventsCard";
import { LineageCard } from "./LineageCard";
import { uriOf } from "./ModelPage";
import { UseItCard } from "./UseItCard";
import { Stage, VersionMenu } from "./VersionsCard";
import "../run/run.css";
import "./models.css";

const TABS = ["Overview", "Metrics", "Files", "Events"] as const;
const MOST = 500_000;

/** One version: what goes in and comes out, what it needs, how good it is, where it came from. */
export default function VersionPage() {
  const { name = "", version = "" } = useParams({ strict: false });
  const model = useQuery(modelQuery(name));
  const one = useQuery(versionQuery(name, version));
  useLive([]);
  const error = one.error ?? model.error;
  if (error)
    return (
      <main>
        <Problem
          what={`Version ${version} of ${name} could not be opened`}
          error={error}
          onRetry={() => void one.refetch()}
        />
      </main>
    );
  if (!model.data || !one.data)
    return (
      <main>
        <Loading rows={16} />
      </main>
    );
  return <OneVersion model={model.data} version={one.data} />;
}

function OneVersion({ model, version }: { model: Model; version: Version }) {
  const { name } = model;
  const { tab = "overview" } = useSearch({ strict: false }) as { tab?: string };
  const { data: protections = [] } = useQuery(protectionsQuery(name));
  const tabs = TABS.map((text): Tab => {
    const key = text.toLowerCase();
    return {
      text,
      on: key === tab,
      link: {
        to: "/models/$name/versions/$version",
        params: { name, version: version.version },
        search: key === "overview" ? {} : { tab: key },
      } as LinkProps,
    };
  });
  const uri = uriOf(model, version);
  return (
    <Page
      crumbs={[
        { text: "Models", link: { to: "/models" } },
        { text: name, link: { to: "/models/$name", params: { name } } as LinkProps },
      ]}
      title={`Version ${version.version}`}
      chips={
        <>
          <Stage stage={version.current_stage} />
          {(version.aliases ?? []).map((alias) => (
            <Chip key={alias} tone={alias === "champion" ? "ok" : "acc"}>
              {alias}
            </Chip>
          ))}
          {version.status !== "READY" && <Chip tone="warn">{version.status}</Chip>}
        </>
      }
      actions={
        <>
          <CopyButton text={uri} label="Copy address" />
          <VersionMenu model={model} version={version} protections={protections} />
        </>
      }
      tabs={tabs}
    >
      <Content model={model} version={version} tab={tab} uri={uri} />
    </Page>
  );
}

function Content({ model, version, tab, uri }: { model: Model; version: Version; tab: string; uri: string }) {
  const { name } = model;
  const owner: Owner = { model_name: name, model_version: version.version };
  const [path, setPath] = useState("");
  if (tab === "events")
    return (
      <div className="cards">
        <EventsCard query={eventsQuery(name, version.version)} />
      </div>
    );
  if (tab === "files")
    return (
      <div className="cards whole">
        <ArtifactBrowser owner={owner} path={path} onPath={setPath} />
      </div>
    );
  if (tab === "metrics") return <Figures runId={version.run_id ?? ""} />;
  return (
    <div className="cards about">
      <div className="column">
        <SignatureCard owner={owner} />
        <LineageCard name={name} version={version.version} />
        <UseItCard uri={uri} />
      </div>
      <div className="column">
        <Description
          text={version.description ?? ""}
          onSave={async (text) => void (await describeVersion(name, version.version, text))}
        />
        <About version={version} />
        <Tags
          tags={version.tags ?? []}
          onSet={async (key, value) => void (await setVersionTag(name, version.version, key, value))}
          onDelete={async (key) => void (await deleteVersionTag(name, version.version, key))}
        />
        <RequirementsCard owner={owner} />
      </div>
    </div>
  );
}

function Figures({ runId }: { runId: string }) {
  const { data, error } = useQuery({ ...runQuery(runId), enabled: runId !== "", retry: false });
  if (!runId || error) return <Empty title="The run that made this version is not known here" />;
  if (!data) return <Loading />;
  const run = runData(data);
  return (
    <div className="cards two whole">
      <MetricsCard data={run} base={null} />
      <ParamsCard data={run} base={null} />
    </div>
  );
}

/** A file of the version as text; null when there is none. */
const useFile = (owner: Owner, path: string) =>
  useQuery({
    queryKey: [...keys.models, "file", owner, path],
    queryFn: ({ signal }) => readText(showAddress(owner, path), MOST, signal),
    staleTime: Infinity,
  });

function SignatureCard({ owner }: { owner: Owner }) {
  const { data, error, isPending } = useFile(owner, "MLmodel");
  const model = data ? parseMLmodel(data.text) : null;
  return (
    <section className="card" aria-label="Signature">
      <header>
        <h2>Signature</h2>
        {model && <span className="n">{model.flavors.join(", ")}</span>}
      </header>
      {error ? (
        <Problem what="The MLmodel file could not be read" error={error} />
      ) : isPending ? (
        <Loading />
      ) : model && (model.inputs || model.outputs) ? (
        <div className="body">
          <Signature inputs={model.inputs} outputs={model.outputs} params={model.params} />
        </div>
      ) : (
        <Empty title="The model has no signature" />
      )}
    </section>
  );
}

function RequirementsCard({ owner }: { owner: Owner }) {
  const { data, isPending } = useFile(owner, "requirements.txt");
  const lines = data ? parseRequirements(data.text) : [];
  return (
    <section className="card" aria-label="Requirements">
      <header>
        <h2>Requirements</h2>
        <span className="grow" />
        {data && <CopyButton text={data.text} />}
      </header>
      {isPending ? <Loading /> : lines.length === 0 ? <Empty title="None are listed" /> : <Packages rows={lines} />}
    </section>
  );
}

function About({ version }: { version: Version }) {
  const { data: run } = useQuery({ ...runQuery(version.run_id ?? ""), enabled: Boolean(version.run_id), retry: false });
  return (
    <section className="card" aria-label="Version">
      <header>
        <h2>Version</h2>
      </header>
      <dl className="kv body">
        <dt>From run</dt>
        <dd>
          {run ? (
            <span className="row">
              <RunDot runId={run.info.run_id} />
              <Link {...toRun(run.info.experiment_id, run.info.run_id)} className="lnk">
                {run.info.run_name}
              </Link>
            </span>
          ) : (
            version.run_id || "—"
          )}
        </dd>
        <dt>By</dt>
        <dd>{version.user_id || "—"}</dd>
        <dt>Created</dt>
        <dd>
          <Moment time={version.creation_timestamp} />
        </dd>
        <dt>Changed</dt>
        <dd>
          <Moment time={version.last_updated_timestamp} />
        </dd>
        <dt>Files</dt>
        <dd className="mono" title={version.source}>
          {version.source}
        </dd>
      </dl>
    </section>
  );
}
