/** The small cards at the side of a run. */

import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { get } from "../api/client";
import { keys, runQuery } from "../api/queries";
import { count } from "../format/figures";
import { duration } from "../format/times";
import { Chip } from "../kit/controls";
import { Facts, known } from "../kit/Facts";
import { Icon } from "../kit/Icon";
import { Moment } from "../kit/marks";
import { toRun } from "./links";
import { TAGS, type RunData } from "./runData";

/** The data that went in. */
export function DatasetsCard({ data }: { data: RunData }) {
  const inputs = data.run.inputs?.dataset_inputs ?? [];
  if (inputs.length === 0) return null;
  return (
    <section className="card" aria-label="Datasets">
      <header>
        <h2>Datasets</h2>
        <span className="n">{count(inputs.length)}</span>
      </header>
      <div className="body datasets">
        {inputs.map(({ dataset, tags }) => {
          const context = tags?.find(({ key }) => key === "mlflow.data.context")?.value;
          return (
            <div key={dataset.name + dataset.digest}>
              <div className="row">
                <Icon name="db" size={14} />
                <b className="b ell" title={dataset.name}>
                  {dataset.name}
                </b>
                {context && <Chip>{context}</Chip>}
                <span className="grow" />
                <code className="dim" title={dataset.digest}>
                  {dataset.digest.slice(0, 6)}
                </code>
              </div>
              <p className="dim">{aboutDataset(dataset)}</p>
            </div>
          );
        })}
      </div>
    </section>
  );
}

/** Rows and columns, as far as the dataset says. */
export function aboutDataset({
  profile,
  schema,
  source_type: source,
}: {
  profile?: string | null;
  schema?: string | null;
  source_type?: string;
}): string {
  const rows = parsed(profile)?.num_rows;
  const columns = parsed(schema)?.mlflow_colspec;
  const parts = [];
  if (typeof rows === "number") parts.push(`${count(rows)} rows`);
  if (Array.isArray(columns)) parts.push(`${count(columns.length)} columns`);
  if (source) parts.push(source);
  return parts.join(" · ");
}

function parsed(text: string | null | undefined): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text ?? "");
    return value !== null && typeof value === "object" ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

const RunLink = ({ experimentId, runId }: { experimentId: string; runId: string }) => {
  const { data: run } = useQuery({ ...runQuery(runId), retry: false });
  return (
    <Link {...toRun(run?.info.experiment_id ?? experimentId, runId)} className="lnk">
      {run?.info.run_name || runId.slice(0, 8)}
    </Link>
  );
};

/** What the run came from and what came of it. */
export function LineageCard({ data }: { data: RunData }) {
  const { id, experimentId, tags, run } = data;
  const { data: rewinds = [] } = useQuery({
    queryKey: [...keys.run(id), "rewinds"],
    queryFn: async ({ signal }) => (await get("/api/2.0/stele/runs/rewinds", { run_id: id }, { signal })).rewinds ?? [],
  });
  const rows: [string, ReactNode][] = [];
  const parent = tags.get(TAGS.parent);
  const fork = tags.get(TAGS.forkedFrom);
  if (parent) rows.push(["Parent", <RunLink key="parent" experimentId={experimentId} runId={parent} />]);
  if (fork)
    rows.push([
      "Forked from",
      <span key="fork">
        <RunLink experimentId={experimentId} runId={fork} />
        {tags.has(TAGS.forkStep) && <span className="dim"> at step {count(Number(tags.get(TAGS.forkStep)))}</span>}
      </span>,
    ]);
  for (const { step, creation_time: time, undone_time: undone } of rewinds) {
    rows.push([
      "Rewound",
      <span key={`rewind ${time}`}>
        to step {count(step)}{" "}
        <span className="dim">
          <Moment time={time} />
          {undone ? ", undone" : ""}
        </span>
      </span>,
    ]);
  }
  for (const output of run.outputs?.model_outputs ?? []) {
    rows.push([
      "Model",
      <Link key={output.model_id} {...toRun(experimentId, id, "artifacts")} className="lnk mono">
        {output.model_id}
      </Link>,
    ]);
  }
  if (rows.length === 0) return null;
  return (
    <section className="card" aria-label="Lineage">
      <header>
        <h2>Lineage</h2>
      </header>
      <dl className="kv body">
        {rows.map(([name, value], i) => (
          <div key={i} className="pair">
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

/** Where it ran, in a few lines. */
export function EnvironmentCard({ data }: { data: RunData }) {
  const { tags, run, experimentId, id } = data;
  const rows = known([
    ["Python", tags.get(TAGS.python)],
    ["Host", tags.get(TAGS.host)],
    ["GPU", tags.get(TAGS.gpu)],
    ["Branch", tags.get(TAGS.branch)],
    ["Source", tags.get(TAGS.source)],
    ["Took", run.info.end_time ? duration(run.info.end_time - run.info.start_time) : undefined],
  ]);
  return (
    <section className="card" aria-label="Environment">
      <header>
        <h2>Environment</h2>
        <span className="grow" />
        <Link {...toRun(experimentId, id, "environment")} className="btn ghost sm">
          All
        </Link>
      </header>
      <Facts rows={rows} />
    </section>
  );
}
