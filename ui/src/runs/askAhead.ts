/** What an experiment's page begins with, asked for as soon as its address is known: beside its first render, not after. */

import { experimentQuery, queryClient } from "../api/queries";
import { parseSettings } from "../charts/board/settings";
import { askForCurves } from "../charts/data/early";
import { rowsQuery } from "../charts/data/runs";
import { kept } from "../kit/kept";
import { inGroups, usualColumns } from "./columns";
import { selectionOf } from "./selection";
import { askForRows, counts, runKeys, valueColumns } from "./tableQueries";
import { parseView } from "./view";

export const loadCharts = kept(() => import("../charts/ChartsTab"));

export function askAhead(experimentId: string, tab: string, search: Record<string, unknown>): Promise<unknown> {
  const view = parseView(search);
  const selection = selectionOf(experimentId, view);
  const asked: Promise<unknown>[] = [
    queryClient.prefetchQuery(experimentQuery(experimentId)),
    queryClient.prefetchQuery(counts(experimentId)),
  ];
  const keys = queryClient.prefetchQuery(runKeys(experimentId));
  if (tab === "charts") {
    const { show } = parseSettings(view.charts);
    const rows = queryClient.prefetchQuery(rowsQuery(experimentId, selection, view.group, { rows: show }));
    // The page says so when its code does not come.
    asked.push(
      keys,
      rows,
      Promise.resolve(loadCharts()).catch(() => undefined),
    );
  }
  const rows = async () => {
    if (!view.columns) await keys;
    const known = queryClient.getQueryData(runKeys(experimentId).queryKey);
    const columns = view.columns ?? inGroups(usualColumns(known ?? []));
    const wanted = { experimentId, selection, columns: valueColumns(columns), view, expanded: [] };
    if (known || view.columns) await askForRows(wanted);
  };
  if (tab === "runs") asked.push(rows());
  return Promise.all(asked);
}

/** The curves that the charts of an experiment begin with. With groups, or with runs that were added, they are others. */
export async function askForFirstCurves(experimentId: string, search: Record<string, unknown>): Promise<void> {
  const view = parseView(search);
  const { show, shown, x, range } = parseSettings(view.charts);
  if (view.group.length + view.pinned.length + shown.length > 0) return;
  const [{ rows }, found] = await Promise.all([
    queryClient.fetchQuery(rowsQuery(experimentId, selectionOf(experimentId, view), [], { rows: show })),
    queryClient.fetchQuery(runKeys(experimentId)),
  ]);
  const metrics = found.flatMap(({ kind, name }) => (kind === "metric" ? [name] : []));
  const runIds = rows.map((row) => row.run_id).filter((id) => !view.hidden.includes(id));
  askForCurves({ runIds, x, range }, metrics);
}
