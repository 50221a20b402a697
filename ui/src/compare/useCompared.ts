import { useQueries, useQuery } from "@tanstack/react-query";
import { post } from "../api/client";
import { keys } from "../api/queries";
import { parseRequirements } from "../run/environment";
import { fileAddress, readText } from "../run/files";
import { runData, type RunData } from "../run/runData";
import { literal } from "../runs/filter/literal";

const MOST = 1000;
const PACKAGES_FOR = 20;
const REQUIREMENTS = "environment/requirements.txt";

/** The runs with these ids, in this order; unknown ones are left out. */
export function useCompared(experimentId: string, runIds: readonly string[]) {
  const { data, ...rest } = useQuery({
    queryKey: [...keys.runs(experimentId), "compared", runIds],
    queryFn: async ({ signal }) => {
      const filter = `attributes.run_id IN (${runIds.map(literal).join(", ")})`;
      const { runs = [] } = await post(
        "/api/2.0/mlflow/runs/search",
        { experiment_ids: [experimentId], filter, run_view_type: "ALL", max_results: MOST },
        { signal },
      );
      const byId = new Map(runs.map((run) => [run.info.run_id, runData(run)]));
      return runIds.flatMap((id) => byId.get(id) ?? []);
    },
    enabled: runIds.length > 0,
  });
  return { runs: data ?? [], ...rest };
}

/** The packages of each run, for as many runs as one would read; an empty list while they are unknown. */
export function usePackages(runs: readonly RunData[]): ReadonlyMap<string, string>[] {
  const some = runs.length <= PACKAGES_FOR ? runs : [];
  const answers = useQueries({
    queries: some.map(({ id }) => ({
      queryKey: [...keys.run(id), "packages"],
      queryFn: async ({ signal }: { signal: AbortSignal }) =>
        new Map(parseRequirements((await readText(fileAddress(id, REQUIREMENTS), 1_000_000, signal))?.text ?? "")),
      staleTime: Infinity,
    })),
  });
  const known = answers.flatMap(({ data }) => (data ? [data] : []));
  return known.length === some.length && known.some((of) => of.size > 0) ? known : [];
}
