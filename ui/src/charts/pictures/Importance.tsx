import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { count, MISSING } from "../../format/figures";
import { Loading, Problem } from "../../kit/states";
import type { ColumnRef } from "../../runs/view";
import type { Source } from "../board/stage";
import { useRunKeys } from "../../runs/useTable";
import { columnsQuery, type Cell } from "../data/runs";
import { asFeature, axisColumn } from "../math/columns";
import { spearman } from "../math/ranks";
import { useSize } from "../line/useShown";
import type { ForestTask } from "./forest.worker";
import { PARAMS } from "../list/suggest";
import { runsNote } from "./data";

const RUNS = 2000;
const ROW = 25;

interface Evidence {
  names: string[];
  rhos: (number | null)[];
  task: ForestTask;
}

/** Which params matter for a metric: what a forest loses without each, and how their ranks go together. */
export function Importance({
  target,
  source,
  table,
  onNote,
}: {
  target: ColumnRef | undefined;
  source: Source;
  table: boolean;
  onNote: (note: string) => void;
}) {
  const keys = useRunKeys(source.experimentId);
  const params = useMemo(() => (keys.data ?? []).filter(({ kind }) => kind === "param"), [keys.data]);
  const columns = useMemo(
    (): ColumnRef[] =>
      target ? [...params.slice(0, PARAMS).map(({ name }): ColumnRef => ({ kind: "param", key: name })), target] : [],
    [target, params],
  );
  const { data, error, refetch } = useQuery({
    ...columnsQuery(source.experimentId, source.selection, columns),
    enabled: params.length > 0 && target !== undefined,
  });
  const evidence = useMemo(
    // While other columns are on their way, the answer is to the question before.
    () => (data?.columns.length === columns.length ? evidenceOf(data.columns as Cell[][], columns) : null),
    [data, columns],
  );
  const [box, size] = useSize<HTMLDivElement>();
  const [all, setAll] = useState(false);
  const shares = useForest(evidence?.task ?? null);
  useEffect(() => {
    if (data && evidence) onNote(runsNote(evidence.task.target.length, data.matched));
  }, [onNote, data, evidence]);

  if (error && !data)
    return <Problem what="The columns could not be read" error={error} onRetry={() => void refetch()} />;
  if (keys.data && params.length === 0) return <p className="nothing">No run has a param</p>;
  if (!evidence) return <Loading rows={6} />;
  if (evidence.names.length === 0) return <p className="nothing">No param differs between runs with this metric</p>;
  const order = evidence.names
    .map((_, i) => i)
    .sort(
      (a, b) =>
        (shares?.[b] ?? 0) - (shares?.[a] ?? 0) || Math.abs(evidence.rhos[b] ?? 0) - Math.abs(evidence.rhos[a] ?? 0),
    );
  const most = Math.max(...(shares ?? [1]), 1e-9);
  const room = Math.max(3, Math.floor((size.height - ROW) / ROW));
  const listed = all || table || order.length <= room ? order : order.slice(0, room - 1);
  return (
    <div ref={box} className="imp" tabIndex={0} role="region" aria-label={`What matters for ${target!.key}`}>
      <table>
        <thead>
          <tr>
            <th>param</th>
            <th>forest</th>
            <th className="r" title="Share of what a random forest loses when this param is shuffled">
              imp.
            </th>
            <th className="r" title="Spearman's rank correlation with the metric">
              rank ρ
            </th>
          </tr>
        </thead>
        <tbody>
          {listed.map((i) => {
            const share = shares?.[i];
            return (
              <tr key={evidence.names[i]}>
                <td className="mono ell" title={evidence.names[i]}>
                  {evidence.names[i]}
                </td>
                <td>
                  {share !== undefined && share > 0 && (
                    <i
                      className="bar"
                      style={{ width: `${(share / most) * 100}%`, opacity: Math.min(1, 0.45 + share * 1.3) }}
                    />
                  )}
                </td>
                <td className="r">{share === undefined ? "" : share.toFixed(2)}</td>
                <td className="r mut">{rho(evidence.rhos[i] ?? null)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
      {listed.length < order.length && (
        <button type="button" className="lnk" onClick={() => setAll(true)}>
          {count(order.length - listed.length)} more
        </button>
      )}
      {params.length > PARAMS && (
        <p className="n">
          The {count(PARAMS)} most frequent of {count(params.length)} params.
        </p>
      )}
    </div>
  );
}

const rho = (value: number | null): string =>
  value === null ? MISSING : `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(2)}`;

/** Runs that have the metric, and of their params those that tell something; with very many runs every so many-th. */
function evidenceOf(cells: readonly Cell[][], refs: readonly ColumnRef[]): Evidence {
  const target = axisColumn(cells[cells.length - 1] ?? []);
  if (target.kind === "text") return { names: [], rhos: [], task: { columns: [], target: new Float64Array() } };
  const known = target.values.flatMap((value, row) => (value === null ? [] : [row]));
  const stride = Math.ceil(known.length / RUNS);
  const rows = known.filter((_, i) => i % stride === 0);
  const y = Float64Array.from(rows, (row) => target.values[row]!);
  const found = refs.slice(0, -1).flatMap(({ key }, i) => {
    const column = axisColumn(rows.map((row) => cells[i]![row]!));
    const feature = asFeature(column);
    if (!feature) return [];
    const ordered = column.kind === "number" ? spearman(column.values, [...y]) : null;
    return [{ key, feature, rho: ordered }];
  });
  return {
    names: found.map(({ key }) => key),
    rhos: found.map((one) => one.rho),
    task: { columns: found.map(({ feature }) => feature), target: y },
  };
}

/** What the worker finds out; null until it has. */
function useForest(task: ForestTask | null): number[] | null {
  const [answer, setAnswer] = useState<{ task: ForestTask; shares: number[] } | null>(null);
  useEffect(() => {
    if (!task || task.columns.length === 0) return;
    const worker = new Worker(new URL("./forest.worker.ts", import.meta.url), { type: "module" });
    worker.onmessage = ({ data }: MessageEvent<number[]>) => {
      setAnswer({ task, shares: data });
      worker.terminate();
    };
    worker.postMessage(task);
    return () => worker.terminate();
  }, [task]);
  return answer && answer.task === task ? answer.shares : null;
}
