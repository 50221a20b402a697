/** What a run's page begins with, asked for as soon as its address is known: beside the page's own code. */

import { experimentQuery, queryClient, runQuery } from "../api/queries";

export const loadCharts = () =>
  import("../charts/RunCharts").then(({ RunCharts: component }) => ({ default: component }));

/** Tabs that are charts, also by MLflow's names. */
const CHARTED = new Set(["charts", "system", "model-metrics", "system-metrics"]);

export function askAhead(experimentId: string, runId: string, tab: string): void {
  void queryClient.prefetchQuery(runQuery(runId));
  void queryClient.prefetchQuery(experimentQuery(experimentId));
  if (CHARTED.has(tab)) void loadCharts().catch(() => undefined); // the page says so when it needs them
}
