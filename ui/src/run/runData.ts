/** What the run page knows of a run, in forms that are quick to look things up in. */

import { toNumber } from "../format/figures";
import type { Run } from "../api/queries";

export interface RunData {
  run: Run;
  id: string;
  experimentId: string;
  name: string;
  tags: ReadonlyMap<string, string>;
  params: ReadonlyMap<string, string>;
  /** Latest values, with the step they are of. */
  metrics: ReadonlyMap<string, { value: number; step: number }>;
}

export function runData(run: Run): RunData {
  const { info, data } = run;
  const pairs = (list: { key?: string; value?: unknown }[] | undefined) =>
    new Map((list ?? []).map(({ key, value }) => [key ?? "", String(value ?? "")]));
  return {
    run,
    id: info.run_id,
    experimentId: info.experiment_id,
    name: info.run_name || info.run_id.slice(0, 8),
    tags: pairs(data.tags),
    params: pairs(data.params),
    metrics: new Map(
      (data.metrics ?? []).map(({ key, value, step }) => [key, { value: toNumber(value) ?? NaN, step: step ?? 0 }]),
    ),
  };
}

export const TAGS = {
  note: "mlflow.note.content",
  parent: "mlflow.parentRunId",
  user: "mlflow.user",
  source: "mlflow.source.name",
  commit: "mlflow.source.git.commit",
  branch: "mlflow.source.git.branch",
  dirty: "mlflow.source.git.dirty",
  repository: "mlflow.source.git.repoURL",
  host: "stele.host",
  python: "stele.python.version",
  gpu: "stele.gpu",
  forkedFrom: "stele.fork.from",
  forkStep: "stele.fork.step",
} as const;

/** Whether a metric is one of the machine's. */
export const isSystemMetric = (key: string): boolean => key.startsWith("system/");

/** The prefix that metrics share up to their last slash. */
export const prefixOf = (key: string): string => (key.includes("/") ? key.slice(0, key.lastIndexOf("/")) : "");
