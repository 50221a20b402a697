import { useEffect, useRef, useState } from "react";
import { bytes } from "../format/figures";
import { Field, Switch } from "../kit/controls";
import { Empty, Loading, Problem } from "../kit/states";
import { lastLines } from "./logText";
import type { RunData } from "./runData";
import { useLogs, useLogText } from "./useLog";
import "./artifacts/artifacts.css";
import "../styles/code.css";

const TAIL = 400_000;
const AGAIN = 3000;

/** What the program printed, and its logs among the files: the end of one, followed while the run goes on. */
export default function LogsTab({ data }: { data: RunData }) {
  const [chosen, setChosen] = useState("");
  const [search, setSearch] = useState("");
  const [follow, setFollow] = useState(true);
  const running = data.run.info.status === "RUNNING";
  const again = running && follow && AGAIN;
  const known = useLogs(data.id, again);
  const log = known.logs.find(({ name }) => name === chosen) ?? known.logs[0];
  const { text, error, refetch } = useLogText(data.id, log, TAIL, again);
  const end = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (follow) end.current?.scrollIntoView({ block: "end" });
  }, [text, follow]);
  if (known.error)
    return <Problem what="The files could not be listed" error={known.error} onRetry={() => void known.refetch()} />;
  if (known.isPending) return <Loading rows={12} />;
  if (!log) {
    return (
      <Empty title="No log is kept with this run">
        <p>
          What a program prints is kept when it asks for it: <code>stele.start_run(log_console=True)</code>
        </p>
        <p>
          Files that end in <code>.log</code>, and those below <code>logs/</code>, are shown here, too:{" "}
          <code>stele.log_artifact("train.log")</code>
        </p>
      </Empty>
    );
  }
  const lines = lastLines(text, search);
  return (
    <div className="cards whole">
      <section className="card" aria-label="Logs">
        <header>
          <label className="field sm">
            <select aria-label="Log" value={log.name} onChange={(event) => setChosen(event.target.value)}>
              {known.logs.map(({ name }) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          </label>
          <span className="n">
            {bytes(log.size)}
            {log.size > TAIL && `, the last ${bytes(TAIL)} shown`}
          </span>
          <span className="grow" />
          <Field
            small
            icon="search"
            label="Search lines"
            placeholder="Search lines"
            value={search}
            onChange={setSearch}
          />
          {running && (
            <Switch on={follow} onChange={setFollow}>
              Follow
            </Switch>
          )}
        </header>
        {error ? (
          <Problem what="The log could not be read" error={error} onRetry={() => void refetch()} />
        ) : (
          <div className="code scroll pad" tabIndex={0} role="log" aria-label={log.name}>
            {lines.map((line, i) => (
              <div key={i}>{line || " "}</div>
            ))}
            <div ref={end} />
          </div>
        )}
      </section>
    </div>
  );
}
