import { useQueries } from "@tanstack/react-query";
import { useMemo } from "react";
import { runQuery } from "../api/queries";
import { runColor } from "../format/colors";
import { Loading, Problem } from "../kit/states";
import { Board } from "./board/Board";
import { StageFor } from "./board/StageFor";
import { dashesOf } from "./line/dashes";
import type { DrawnRun } from "./line/model";

export interface RunChartsProps {
  runs: readonly { runId: string; name: string }[];
  /** These metrics; without them all that one of the runs has. */
  keys?: readonly string[];
  /** Only metrics whose key begins like this: `system/`. */
  prefix?: string;
  /** All but the metrics whose key begins like this. */
  without?: string;
}

const NO_GROUPS: never[] = [];

/** Every metric of some runs as curves: on the page of a run, and where runs are compared. */
export function RunCharts({ runs, keys, prefix = "", without }: RunChartsProps) {
  const answers = useQueries({ queries: runs.map(({ runId }) => runQuery(runId)) });
  const failed = answers.find(({ error }) => error);
  const stamp = answers.map(({ dataUpdatedAt }) => dataUpdatedAt).join();
  const drawn = useMemo(() => {
    const dashes = dashesOf(runs.map(({ runId }) => runId));
    return runs.map(({ runId, name }, i): DrawnRun => ({
      runId,
      name,
      live: answers[i]?.data?.info.status === "RUNNING",
      color: runColor(runId),
      dash: dashes[i]!,
      group: "",
    }));
    // The answers are other objects each time; their times say when one has changed.
  }, [runs, stamp]);
  const shown = useMemo(() => {
    const all = keys ?? answers.flatMap(({ data }) => data?.data.metrics?.map(({ key }) => key) ?? []);
    return [...new Set(all)].filter((key) => key.startsWith(prefix) && !(without && key.startsWith(without)));
  }, [keys, prefix, without, stamp]);
  if (failed && shown.length === 0) {
    return <Problem what="The runs could not be read" error={failed.error} onRetry={() => void failed.refetch()} />;
  }
  if (shown.length === 0 && answers.some(({ isPending }) => isPending)) return <Loading />;
  return (
    <StageFor runs={drawn} groups={NO_GROUPS} stamp={stamp}>
      <Board keys={shown} />
    </StageFor>
  );
}
