import { useQuery } from "@tanstack/react-query";
import { Link, useParams, useSearch, type LinkProps } from "@tanstack/react-router";
import { useState } from "react";
import { useLive } from "../api/events";
import { runQuery } from "../api/queries";
import { Chip, CopyButton } from "../kit/controls";
import { Moment, RunDot } from "../kit/marks";
import { Empty, Loading, Problem } from "../kit/states";
import { ArtifactBrowser } from "../run/artifacts/ArtifactBrowser";
import type { Owner } from "../run/artifacts/owner";
import { toRun } from "../run/links";
import { MetricsCard } from "../run/MetricsCard";
import { ParamsCard } from "../run/ParamsCard";
import { runData } from "../run/runData";
import { Description, Tags } from "../runs/AboutTab";
import { Page, type Tab } from "../shell/Page";
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
import { CompareWith, ComparedMark, toVersion, useCompared, type Compared } from "./comparison";
import { EventsCard } from "./EventsCard";
import { LineageCard } from "./LineageCard";
import { uriOf } from "./ModelPage";
import { RequirementsCard } from "./RequirementsCard";
import { SignatureCard } from "./SignatureCard";
import { UseItCard } from "./UseItCard";
import { Stage, VersionMenu } from "./VersionsCard";
import "../run/run.css";
import "./models.css";

const TABS = ["Overview", "Metrics", "Files", "Events"] as const;

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
  const compared = useCompared(version);
  const { data: protections = [] } = useQuery(protectionsQuery(name));
  const tabs = TABS.map((text): Tab => {
    const key = text.toLowerCase();
    return {
      text,
      on: key === tab,
      link: toVersion(name, version.version, compared.vs, key === "overview" ? "" : key),
    };
  });
  const shownTab = tab === "overview" ? "" : tab;
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
          <ComparedMark model={model} version={version} tab={shownTab} compared={compared} />
        </>
      }
      actions={
        <>
          <CompareWith model={model} version={version} tab={shownTab} compared={compared} />
          <CopyButton text={uri} label="Copy address" />
          <VersionMenu model={model} version={version} protections={protections} />
        </>
      }
      tabs={tabs}
    >
      <Content model={model} version={version} tab={tab} uri={uri} compared={compared} />
    </Page>
  );
}

interface ContentProps {
  model: Model;
  version: Version;
  tab: string;
  uri: string;
  compared: Compared;
}

const ownerOf = ({ name, version }: Version): Owner => ({ model_name: name, model_version: version });

function Content({ model, version, tab, uri, compared }: ContentProps) {
  const { name } = model;
  const owner = ownerOf(version);
  const theirs = compared.other && ownerOf(compared.other);
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
  if (tab === "metrics") return <Figures runId={version.run_id ?? ""} compared={compared} />;
  return (
    <div className="cards about">
      <div className="column">
        <SignatureCard owner={owner} other={theirs} vs={compared.vs} />
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
        <RequirementsCard owner={owner} other={theirs} vs={compared.vs} />
      </div>
    </div>
  );
}

function Figures({ runId, compared: { vs, other } }: { runId: string; compared: Compared }) {
  const { data, error } = useQuery({ ...runQuery(runId), enabled: runId !== "", retry: false });
  const theirs = other?.run_id ?? "";
  const base = useQuery({ ...runQuery(theirs), enabled: theirs !== "", retry: false });
  if (!runId || error) return <Empty title="The run that made this version is not known here" />;
  if (!data) return <Loading />;
  const run = runData(data);
  const baseline = theirs && base.data ? runData(base.data) : null;
  return (
    <>
      {other && (!theirs || base.error) && (
        <p className="note">The run that made version {vs} is not known here, so there is nothing to compare with.</p>
      )}
      <div className="cards two whole">
        <MetricsCard data={run} base={baseline} />
        <ParamsCard data={run} base={baseline} />
      </div>
    </>
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
              {run.info.lifecycle_stage === "deleted" && <Chip tone="fail">deleted</Chip>}
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
