/** What an experiment's page begins with, asked for as soon as its address is known: beside its first render, not after. */

import { experimentQuery, queryClient } from "../api/queries";
import { parseSettings } from "../charts/board/settings";
import { rowsQuery } from "../charts/data/runs";
import { inGroups, usualColumns } from "./columns";
import { selectionOf } from "./selection";
import { askForRows, counts, runKeys, valueColumns } from "./tableQueries";
import { parseView } from "./view";

export const loadCharts = () => import("../charts/ChartsTab");

export function askAhead(experimentId: string, tab: string, search: Record<string, unknown>): void {
  const view = parseView(search);
  const selection = selectionOf(experimentId, view);
  void queryClient.prefetchQuery(experimentQuery(experimentId));
  void queryClient.prefetchQuery(counts(experimentId));
  const keys = queryClient.prefetchQuery(runKeys(experimentId));
  if (tab === "charts") {
    void loadCharts().catch(() => undefined); // the page says so when it needs them
    const { show } = parseSettings(view.charts);
    void queryClient.prefetchQuery(rowsQuery(experimentId, selection, view.group, { rows: show }));
  }
  if (tab !== "runs") return;
  const rows = async () => {
    if (!view.columns) await keys;
    const known = queryClient.getQueryData(runKeys(experimentId).queryKey);
    const columns = view.columns ?? inGroups(usualColumns(known ?? []));
    const asked = { experimentId, selection, columns: valueColumns(columns), view, expanded: [] };
    if (known || view.columns) await askForRows(asked);
  };
  void rows();
}
