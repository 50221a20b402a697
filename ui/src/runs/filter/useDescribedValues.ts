import { useQuery } from "@tanstack/react-query";
import { post } from "../../api/client";
import { keys } from "../../api/queries";
import { wireColumn } from "../selection";
import type { ColumnRef } from "../view";

/** The values that a column has over all runs of an experiment; undefined while unknown. */
export function useDescribedValues(experimentId: string, column: ColumnRef | null) {
  const { data } = useQuery({
    queryKey: [...keys.runs(experimentId), "values", column],
    queryFn: ({ signal }) =>
      post("/api/2.0/stele/runs/values", { experiment_ids: [experimentId], column: wireColumn(column!) }, { signal }),
    enabled: column !== null,
    staleTime: 60_000,
  });
  return data;
}
