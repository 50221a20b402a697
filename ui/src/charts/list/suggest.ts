/** What a charts page chooses by itself: columns beside the runs, and pictures that are worth a look. */

import type { RunKey } from "../../runs/columns";
import { columnId, type ColumnRef, type Sort } from "../../runs/view";
import type { AddedChart } from "../board/settings";

/** As many as importance looks at, so that one answer serves both. */
export const PARAMS = 100;
const LEAST_RUNS = 5;

/** The metric that runs are judged by: the one they are sorted by, a shown one, or the first that validates. */
function judge(keys: readonly RunKey[], shown: readonly ColumnRef[], sort: readonly Sort[]): ColumnRef | null {
  const sorted = sort.find(({ column }) => column.kind === "metric")?.column;
  const listed = shown.find(({ kind }) => kind === "metric");
  if (sorted ?? listed) return sorted ?? listed!;
  const metrics = keys.filter(({ kind, name }) => kind === "metric" && !name.startsWith("system/"));
  const most = Math.max(0, ...metrics.map(({ runs }) => runs));
  const common = metrics.filter(({ runs }) => runs >= most / 2);
  const found =
    common.find(({ name }) => /(^|[/_. -])(val|valid|validation|eval|test)([/_. -]|$)/i.test(name)) ?? common[0];
  return found ? { kind: "metric", key: found.name } : null;
}

/** Up to two columns beside the names of runs: a param and the metric that runs are judged by. */
export function listColumns(
  keys: readonly RunKey[],
  shown: readonly ColumnRef[] | null,
  sort: readonly Sort[],
): ColumnRef[] {
  const params = (shown ?? []).filter(({ kind }) => kind === "param");
  const metric = judge(keys, shown ?? [], sort);
  return [...params.slice(0, 1), ...(metric ? [metric] : [])];
}

/** Parallel coordinates and importance for that metric, where there are runs and params enough to see something. */
export function suggestedCharts(keys: readonly RunKey[], metric: ColumnRef | null, runs: number): AddedChart[] {
  const params = keys.filter(({ kind }) => kind === "param");
  if (!metric || params.length < 2 || runs < LEAST_RUNS) return [];
  const axes = params.slice(0, PARAMS).map(({ name }): ColumnRef => ({ kind: "param", key: name }));
  const section = `What matters for ${metric.key}`;
  return [
    {
      id: `parallel ${columnId(metric)}`,
      kind: "parallel",
      columns: [...axes, metric],
      section,
      title: `Params → ${metric.key}`,
    },
    { id: `importance ${columnId(metric)}`, kind: "importance", columns: [metric], section, title: "Importance" },
  ];
}
