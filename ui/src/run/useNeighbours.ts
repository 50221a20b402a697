import { useQuery } from "@tanstack/react-query";
import { useSearch } from "@tanstack/react-router";
import { post } from "../api/client";
import { keys } from "../api/queries";
import { count } from "../format/figures";
import { selectionOf } from "../runs/selection";
import { parseView } from "../runs/view";

const MOST = 1000;

/** The runs before and after this one in the order that the table had, as far as the address of the page tells it. */
export function useNeighbours(experimentId: string, runId: string) {
  const search = useSearch({ strict: false }) as Record<string, unknown>;
  const selection = selectionOf(experimentId, parseView(search));
  const { data } = useQuery({
    queryKey: [...keys.runs(experimentId), "order", selection],
    queryFn: ({ signal }) =>
      post("/api/2.0/stele/runs/columns", { ...selection, columns: [], max_runs: MOST }, { signal }),
    staleTime: 60_000,
  });
  const ids = data?.run_ids ?? [];
  const at = ids.indexOf(runId);
  return {
    previous: ids[at - 1] ?? null,
    next: at >= 0 ? (ids[at + 1] ?? null) : null,
    place: at >= 0 && data ? `${count(at + 1)} of ${count(data.matched)}` : "",
  };
}
