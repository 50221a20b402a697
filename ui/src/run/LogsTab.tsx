import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { addressOf, send } from "../api/http";
import { keys } from "../api/queries";
import { bytes } from "../format/figures";
import { Field, Switch } from "../kit/controls";
import { Empty, Loading, Problem } from "../kit/states";
import { isLog, lastLines } from "./logText";
import { useTree } from "./artifacts/owner";
import type { RunData } from "./runData";
import "./artifacts/artifacts.css";
import "../styles/code.css";

const TAIL = 400_000;
const AGAIN = 3000;

/** What the program printed, as far as it was kept as a file: the end of it, followed while the run goes on. */
export default function LogsTab({ data }: { data: RunData }) {
  const [chosen, setChosen] = useState("");
  const [search, setSearch] = useState("");
  const [follow, setFollow] = useState(true);
  const tree = useTree({ run_id: data.id });
  const logs = tree.files.filter(({ path }) => isLog(path));
  const log = logs.find(({ path }) => path === chosen) ?? logs[0];
  const running = data.run.info.status === "RUNNING";
  const {
    data: text,
    error,
    refetch,
  } = useQuery({
    queryKey: [...keys.run(data.id), "log", log?.path],
    queryFn: async ({ signal }) => {
      const response = await send(
        "GET",
        addressOf("/api/2.0/stele/artifacts/file", { run_id: data.id, path: log!.path }),
        { range: `bytes=-${TAIL}`, signal },
      );
      return response.text();
    },
    enabled: log !== undefined && log.file_size > 0,
    refetchInterval: running && follow ? AGAIN : false,
  });
  const end = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (follow) end.current?.scrollIntoView({ block: "end" });
  }, [text, follow]);
  if (tree.error)
    return <Problem what="The files could not be listed" error={tree.error} onRetry={() => void tree.refetch()} />;
  if (tree.isPending) return <Loading rows={12} />;
  if (!log) {
    return (
      <Empty title="No log is kept with this run">
        <p>
          Files that end in <code>.log</code>, and those below <code>logs/</code>, are shown here:{" "}
          <code>stele.log_artifact("train.log")</code>
        </p>
      </Empty>
    );
  }
  const lines = lastLines(text ?? "", search);
  return (
    <div className="cards whole">
      <section className="card" aria-label="Logs">
        <header>
          <label className="field sm">
            <select aria-label="Log" value={log.path} onChange={(event) => setChosen(event.target.value)}>
              {logs.map(({ path }) => (
                <option key={path}>{path}</option>
              ))}
            </select>
          </label>
          <span className="n">
            {bytes(log.file_size)}
            {log.file_size > TAIL && `, the last ${bytes(TAIL)} shown`}
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
          <div className="code scroll pad" tabIndex={0} role="log" aria-label={log.path}>
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
