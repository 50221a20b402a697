import { useState } from "react";
import { RunDot } from "../kit/marks";
import { Empty, Loading } from "../kit/states";
import { TableView } from "../run/artifacts/TableView";
import type { RunData } from "../run/runData";
import { useFiles } from "./Pictures";
import "../run/artifacts/artifacts.css";

const TABLE = /\.(csv|tsv|parquet)$|\.json$/i;

/** Tables of the same path side by side. */
export default function Tables({ runs }: { runs: readonly RunData[] }) {
  const answers = useFiles(runs);
  const [chosen, setChosen] = useState("");
  if (answers.some(({ isPending }) => isPending)) return <Loading rows={8} />;
  const paths = answers.map(
    ({ data = [] }) =>
      new Set(data.map(({ path }) => path).filter((path) => TABLE.test(path) && !path.startsWith("environment/"))),
  );
  const names = [...new Set(paths.flatMap((of) => [...of]))].sort();
  const name = names.includes(chosen) ? chosen : names[0];
  if (!name)
    return (
      <Empty title="None of these runs has tables">
        <p>
          <code>stele.log_table</code> makes them; CSV and Parquet files count as well.
        </p>
      </Empty>
    );
  return (
    <div className="cards whole">
      <section className="card" aria-label="Tables">
        <header>
          <label className="field sm">
            <select aria-label="Table" value={name} onChange={(event) => setChosen(event.target.value)}>
              {names.map((one) => (
                <option key={one}>{one}</option>
              ))}
            </select>
          </label>
        </header>
        <div className="side-by-side tables">
          {runs.map((run, i) => (
            <div key={run.id} className="viewer">
              <header>
                <RunDot runId={run.id} /> <span className="ell">{run.name}</span>
              </header>
              {paths[i]!.has(name) ? (
                <TableView owner={{ run_id: run.id }} path={name} version={undefined} />
              ) : (
                <Empty title="This run has no such table" />
              )}
            </div>
          ))}
        </div>
      </section>
    </div>
  );
}
