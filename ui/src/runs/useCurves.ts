/** Small curves of the rows in sight: one request for all that are not there yet. */

import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { post } from "../api/client";
import { keys } from "../api/queries";
import { toNumber } from "../format/figures";
import type { ColumnRef } from "./view";

const BUCKETS = 40;
const PAIRS = 2000;

/** Values of one curve by `run id` and metric. */
export type Curves = (runId: string, metric: string) => readonly number[] | undefined;

const held = new Map<string, { values: number[]; version: string }>();
/** How often something was added to what is held. */
let additions = 0;

export function useCurves(
  experimentId: string,
  columns: readonly ColumnRef[],
  runIds: readonly string[],
  version: string,
): Curves {
  const metrics = columns.filter((column) => column.aggregate === "curve").map(({ key }) => key);
  const wanted = runIds.filter((id) => metrics.some((metric) => held.get(`${id}\n${metric}`)?.version !== version));
  useQuery({
    queryKey: [...keys.runs(experimentId), "curves", metrics, wanted, version],
    queryFn: async ({ signal }) => {
      const some = wanted.slice(0, Math.floor(PAIRS / metrics.length));
      const { series = [] } = await post(
        "/api/2.0/stele/series",
        { run_ids: some, keys: metrics, buckets: BUCKETS },
        { signal },
      );
      for (const id of some) for (const metric of metrics) held.set(`${id}\n${metric}`, { values: [], version });
      for (const one of series) held.set(`${one.run_id}\n${one.key}`, { values: valuesOf(one), version });
      additions++;
      return some.length;
    },
    enabled: metrics.length > 0 && wanted.length > 0,
  });
  // Another function only when it may say something else: rows are rendered again then. The query's own time will not
  // do, because nothing is wanted of what has come, and that is another query.
  return useMemo(() => (runId, metric) => held.get(`${runId}\n${metric}`)?.values, [additions]);
}

type Series = NonNullable<Awaited<ReturnType<typeof post<"/api/2.0/stele/series">>>["series"]>[number];

const numbers = (values: readonly unknown[]): number[] => values.map((value) => toNumber(value) ?? NaN);

/** Of a bucket its two extremes, so that no spike is lost. */
export function valuesOf(series: Series): number[] {
  if (series.form === "points") return numbers(series.values);
  const [low, high] = [numbers(series.min), numbers(series.max)];
  const values = low.flatMap((value, i) => (value === high[i] ? [value] : [value, high[i]!]));
  const last = numbers(series.last).at(-1);
  return last === undefined ? values : [...values, last];
}
