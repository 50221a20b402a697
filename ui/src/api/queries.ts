/** What the page keeps of the server's answers. Keys begin with what they are about, so that a change forgets just that. */

import { QueryClient, queryOptions } from "@tanstack/react-query";
import { get, type Schemas } from "./client";
import { ApiError } from "./http";

export type Run = Schemas["Run"];
export type Experiment = Schemas["Experiment"];

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      // Changes are announced by the server; what was shown stays until they are.
      staleTime: 30_000,
      refetchOnWindowFocus: true,
      retry: (failures, error) => failures < 3 && error instanceof ApiError && error.passing,
      retryDelay: (failures) => Math.min(500 * 2 ** failures, 4000),
    },
  },
});

export const keys = {
  experiments: ["experiments"] as const,
  experiment: (id: string) => ["experiments", id] as const,
  /** Everything that depends on runs of an experiment: tables, groups, charts. */
  runs: (experimentId: string) => ["runs", experimentId] as const,
  run: (runId: string) => ["run", runId] as const,
  models: ["models"] as const,
};

export const experimentQuery = (id: string) =>
  queryOptions({
    queryKey: keys.experiment(id),
    queryFn: async ({ signal }) =>
      (await get("/api/2.0/mlflow/experiments/get", { experiment_id: id }, { signal })).experiment,
  });

export const runQuery = (runId: string) =>
  queryOptions({
    queryKey: keys.run(runId),
    queryFn: async ({ signal }) => (await get("/api/2.0/mlflow/runs/get", { run_id: runId }, { signal })).run,
  });
