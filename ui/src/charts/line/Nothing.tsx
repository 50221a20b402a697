import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { count } from "../../format/figures";
import { useRunKeys } from "../../runs/useTable";
import { fieldName, type ColumnRef } from "../../runs/view";
import { FEW } from "../board/settings";
import { useStage, type Source } from "../board/stage";
import { rowsQuery } from "../data/runs";

/** What stands where curves would be: why there are none, and who has some. */
export function Nothing({ keys, loading }: { keys: readonly string[]; loading: boolean }) {
  const { runs, settings, source } = useStage();
  if (loading) return <p className="nothing" />;
  if (runs.length === 0) return <p className="nothing">No run is shown</p>;
  if (settings.range) return <p className="nothing">No points in this part of the axis</p>;
  if (!source) return <p className="nothing">No points here</p>;
  return <Others metric={{ kind: "metric", key: keys[0]! }} source={source} />;
}

function Others({ metric, source }: { metric: ColumnRef; source: Source }) {
  const { change } = useStage();
  const client = useQueryClient();
  const { data } = useRunKeys(source.experimentId);
  const [missed, setMissed] = useState(false);
  const others = data?.find(({ kind, name }) => kind === "metric" && name === metric.key)?.runs ?? 0;
  const show = async () => {
    // Ordered by the metric, runs without it come last.
    const selection = { ...source.selection, order_by: [`${fieldName(metric)} DESC`] };
    const { rows } = await client.fetchQuery(rowsQuery(source.experimentId, selection, [metric], { rows: FEW }));
    const found = rows.filter((row) => row.values[0] !== null).map((row) => row.run_id);
    setMissed(found.length === 0);
    if (found.length > 0) change(({ shown }) => ({ shown: [...new Set([...shown, ...found])] }));
  };
  return (
    <p className="nothing">
      None of the shown runs has this metric.{" "}
      {missed
        ? "Runs that have it do not match the filter."
        : others > 0 && (
            <>
              {count(others)} {others === 1 ? "run has" : "runs have"} it.{" "}
              <button type="button" className="lnk" onClick={() => void show()}>
                {others > FEW ? `Show ${FEW} of them` : "Show them"}
              </button>
            </>
          )}
    </p>
  );
}
