import { useQueries } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { runQuery, type Run } from "../api/queries";
import { count, decimalsFor, toNumber } from "../format/figures";
import { Button, Check, Chip, Field } from "../kit/controls";
import { Moment, RunDot, Value } from "../kit/marks";
import { Icon } from "../kit/Icon";
import { Menu } from "../kit/Popover";
import { Empty } from "../kit/states";
import { goalOf } from "../runs/columns";
import { toRun } from "../run/links";
import { toVersion } from "./comparison";
import { deleteAlias, deleteVersion, setAlias, setStage, STAGES, type Model, type Version } from "./data";

interface Props {
  model: Model;
  versions: Version[];
  current: Version | undefined;
  protections: { kind: string; subject: string }[];
  onChoose: (version: string) => void;
  /** Asks for older versions; undefined when there are none. */
  more: (() => void) | undefined;
}

const STEP = 100;

/** Versions with their stage, aliases and the figures of the runs that made them. */
export function VersionsCard({ model, versions, current, protections, onChoose, more }: Props) {
  const [search, setSearch] = useState("");
  const [limit, setLimit] = useState(STEP);
  const [ticked, setTicked] = useState<ReadonlySet<string>>(new Set());
  const navigate = useNavigate();
  const found = versions.filter((one) =>
    `v${one.version} ${one.current_stage} ${one.run_id} ${one.user_id} ${aliasesOf(model, one).join(" ")}`
      .toLowerCase()
      .includes(search.toLowerCase()),
  );
  const shown = found.slice(0, limit);
  useEffect(() => {
    // What is searched, or is to be shown, may be among those that were not asked for yet.
    if (search || limit > versions.length) more?.();
  }, [search, limit, versions.length, more]);
  const runs = useRuns(shown);
  const metric = commonMetric([...runs.values()]);
  const decimals = decimalsFor(
    [...runs.values()].map((run) => metricOf(run, metric)).filter((value): value is number => value !== null),
  );
  const many = `${count(versions.length)}${more ? "+" : ""}`;
  const picked = versions.filter((one) => ticked.has(one.version));
  const reason = whyNot(picked);
  const compare = () => {
    if (picked.length === 2) {
      // The newest come first: the newer one is shown, beside the older one.
      void navigate(toVersion(model.name, picked[0]!.version, picked[1]!.version) as never);
      return;
    }
    const runIds = picked.flatMap(({ run_id }) => (run_id ? [run_id] : []));
    const experimentId = runIds.map((id) => runs.get(id)?.info.experiment_id).find(Boolean);
    if (experimentId)
      void navigate({
        to: "/experiments/$experimentId/$tab",
        params: { experimentId, tab: "compare" },
        search: { runs: runIds } as never,
      });
  };
  return (
    <section className="card" aria-label="Versions">
      <header>
        <h2>Versions</h2>
        {(search || found.length > shown.length || more) && (
          <span className="n">
            {search ? `${count(found.length)} of ${many}` : `the newest ${count(shown.length)} of ${many}`}
          </span>
        )}
        <span className="grow" />
        <Field
          small
          icon="search"
          label="Search versions"
          placeholder="Search versions"
          value={search}
          onChange={setSearch}
        />
        <Button small icon="compare" disabled={reason !== undefined} title={reason} onClick={compare}>
          Compare
        </Button>
      </header>
      {versions.length === 0 && (
        <Empty title="No version yet">
          <p>
            <code>stele.register_model("runs:/…/model", "{model.name}")</code> makes the first.
          </p>
        </Empty>
      )}
      <div className="scroll" tabIndex={0} role="region" aria-label="Rows">
        <table className="t versions">
          {versions.length > 0 && (
            <thead>
              <tr>
                <th className="pick">
                  <span className="sr">Select</span>
                </th>
                <th>Version</th>
                <th>Stage</th>
                <th>Aliases</th>
                <th>From run</th>
                <th className="r" title={metric}>
                  {metric}
                </th>
                <th>By</th>
                <th className="r">Created</th>
                <th className="menu-h">
                  <span className="sr">Actions</span>
                </th>
              </tr>
            </thead>
          )}
          <tbody>
            {shown.map((one) => {
              const run = runs.get(one.run_id ?? "");
              return (
                <tr key={one.version} className={one === current ? "cur" : ""} onClick={() => onChoose(one.version)}>
                  <td>
                    <Check
                      state={ticked.has(one.version)}
                      label={`Select version ${one.version}`}
                      tabIndex={0}
                      onToggle={() => setTicked(toggled(ticked, one.version))}
                    />
                  </td>
                  <td>
                    <Link
                      to="/models/$name/versions/$version"
                      params={{ name: model.name, version: one.version }}
                      className="b"
                    >
                      v{one.version}
                    </Link>
                    {one.status !== "READY" && <Chip tone="warn">{one.status}</Chip>}
                  </td>
                  <td>
                    <Stage stage={one.current_stage} />
                  </td>
                  <td className="chips">
                    {aliasesOf(model, one).map((alias) => (
                      <AliasChip
                        key={alias}
                        name={model.name}
                        alias={alias}
                        version={one.version}
                        isProtected={isProtected(protections, "alias", alias)}
                      />
                    ))}
                  </td>
                  <td>
                    {run ? (
                      <span className="name">
                        <RunDot runId={run.info.run_id} />
                        <Link {...toRun(run.info.experiment_id, run.info.run_id)} title={run.info.run_name}>
                          {run.info.run_name}
                        </Link>
                        {run.info.lifecycle_stage === "deleted" && <Chip tone="fail">deleted</Chip>}
                      </span>
                    ) : (
                      <span className="dim" title={one.run_id ? `The run ${one.run_id} is not known here` : undefined}>
                        {one.run_id ? one.run_id.slice(0, 8) : "—"}
                      </span>
                    )}
                  </td>
                  <td className="num">
                    <Value value={run ? metricOf(run, metric) : null} decimals={decimals} />
                  </td>
                  <td className="mut" title={one.user_id}>
                    {one.user_id}
                  </td>
                  <td className="num mut">
                    <Moment time={one.creation_timestamp} />
                  </td>
                  <td>
                    <VersionMenu model={model} version={one} protections={protections} />
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
        {(found.length > shown.length || (more && !search)) && (
          <div className="more">
            <Button small onClick={() => setLimit(limit + STEP)}>
              Show older versions
            </Button>
          </div>
        )}
      </div>
    </section>
  );
}

const toggled = (set: ReadonlySet<string>, one: string): ReadonlySet<string> =>
  new Set(set.has(one) ? [...set].filter((held) => held !== one) : [...set, one]);

export const aliasesOf = ({ aliases }: Model, { version }: Version): string[] =>
  (aliases ?? [])
    .filter((one) => one.version === version)
    .map(({ alias }) => alias)
    .sort((a, b) => Number(b === "champion") - Number(a === "champion"));

/** Why versions cannot be compared; undefined when they can. */
function whyNot(picked: readonly Version[]): string | undefined {
  if (picked.length < 2) return "Tick two versions, or more to compare their runs";
  const runs = new Set(picked.map(({ run_id }) => run_id).filter(Boolean));
  return picked.length > 2 && runs.size < 2
    ? "More than two versions are compared by their runs, and these have none"
    : undefined;
}

const isProtected = (protections: Props["protections"], kind: string, subject: string): boolean =>
  protections.some((one) => one.kind === kind && one.subject.toLowerCase() === subject.toLowerCase());

function useRuns(versions: readonly Version[]): ReadonlyMap<string, Run> {
  const ids = [...new Set(versions.map(({ run_id }) => run_id ?? "").filter(Boolean))];
  const answers = useQueries({ queries: ids.map((id) => ({ ...runQuery(id), retry: false, staleTime: 300_000 })) });
  return new Map(answers.flatMap(({ data }) => (data ? [[data.info.run_id, data] as const] : [])));
}

const metricOf = (run: Run, metric: string): number | null =>
  toNumber(run.data.metrics?.find(({ key }) => key === metric)?.value);

/** The metric with a goal that most runs have. */
function commonMetric(runs: readonly Run[]): string {
  const counts = new Map<string, number>();
  for (const run of runs)
    for (const { key } of run.data.metrics ?? []) counts.set(key, (counts.get(key) ?? 0) + (goalOf(key) ? 2 : 1));
  return [...counts].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]))[0]?.[0] ?? "";
}

export const Stage = ({ stage }: { stage: string }) => (
  <span className={`st stage ${stage.toLowerCase()}`}>
    <i />
    {stage}
  </span>
);

function AliasChip({
  name,
  alias,
  version,
  isProtected: closed,
}: {
  name: string;
  alias: string;
  version: string;
  isProtected: boolean;
}) {
  return (
    <span
      className={`chip ${alias === "champion" ? "ok" : "acc"}`}
      title={closed ? `${alias} moves with an approval only` : alias}
    >
      <span className="ell">{alias}</span>
      {closed ? (
        <>
          <Icon name="shield" size={12} />
          <span className="sr">protected</span>
        </>
      ) : (
        <button
          type="button"
          title={`Remove ${alias}`}
          aria-label={`Remove ${alias}`}
          onClick={(event) => {
            event.stopPropagation();
            void deleteAlias(name, alias, version);
          }}
        >
          ×
        </button>
      )}
    </span>
  );
}

export function VersionMenu({
  model,
  version,
  protections,
}: {
  model: Model;
  version: Version;
  protections: Props["protections"];
}) {
  return (
    <Menu
      label={`Actions for version ${version.version}`}
      items={[
        {
          text: "Set alias",
          icon: "tag",
          onChoose: () =>
            void setAlias(model.name, version.version, undefined, (alias) => isProtected(protections, "alias", alias)),
        },
        null,
        ...STAGES.filter((stage) => stage !== version.current_stage).map((stage) => ({
          text: `Move to ${stage}`,
          onChoose: () => void setStage(model.name, version, stage, isProtected(protections, "stage", stage)),
        })),
        null,
        {
          text: "Delete",
          icon: "trash" as const,
          bad: true,
          onChoose: () => void deleteVersion(model.name, version.version),
        },
      ]}
    />
  );
}
