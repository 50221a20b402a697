/** What a run's page begins with, asked for as soon as its address is known: beside the page's own code. */

import { experimentQuery, queryClient, runQuery } from "../api/queries";
import { parseSettings } from "../charts/board/settings";
import { askForCurves } from "../charts/data/early";
import { kept } from "../kit/kept";
import { parseView } from "../runs/view";

export const loadCharts = kept(() =>
  import("../charts/RunCharts").then(({ RunCharts: component }) => ({ default: component })),
);

/** Tabs that are charts, also by MLflow's names. */
const CHARTED = new Set(["charts", "system", "model-metrics", "system-metrics"]);

export const askAhead = (experimentId: string, runId: string, tab: string): Promise<unknown> =>
  Promise.all([
    queryClient.prefetchQuery(runQuery(runId)),
    queryClient.prefetchQuery(experimentQuery(experimentId)),
    // The page says so when its code does not come.
    CHARTED.has(tab) && Promise.resolve(loadCharts()).catch(() => undefined),
  ]);

/** The curves that the charts of a run begin with. */
export async function askForFirstCurves(runId: string, tab: string, search: Record<string, unknown>): Promise<void> {
  if (!CHARTED.has(tab)) return;
  const { x, range } = parseSettings(parseView(search).charts);
  const { data } = await queryClient.fetchQuery(runQuery(runId));
  const metrics = (data.metrics ?? []).map(({ key }) => key);
  const ofMachine = tab.startsWith("system");
  askForCurves(
    { runIds: [runId], x, range },
    metrics.filter((key) => key.startsWith("system/") === ofMachine),
  );
}
