import { useQueries } from "@tanstack/react-query";
import { useState } from "react";
import { get } from "../api/client";
import { count } from "../format/figures";
import { RunDot } from "../kit/marks";
import { Empty, Loading } from "../kit/states";
import { Media } from "../run/artifacts/Media";
import type { RunData } from "../run/runData";
import { pictureAt, picturesOf } from "./rows";
import "../run/artifacts/artifacts.css";

export const useFiles = (runs: readonly RunData[]) =>
  useQueries({
    queries: runs.map(({ id }) => ({
      queryKey: ["run", id, "tree"] as const,
      queryFn: async ({ signal }: { signal: AbortSignal }) =>
        (await get("/api/2.0/stele/artifacts/tree", { run_id: id, max_results: 10_000 }, { signal })).files ?? [],
    })),
  });

/** Pictures of the same name side by side; a slider goes through their steps. */
export default function Pictures({ runs }: { runs: readonly RunData[] }) {
  const answers = useFiles(runs);
  if (answers.some(({ isPending }) => isPending)) return <Loading rows={8} />;
  const pictures = answers.map(({ data = [] }) => picturesOf(data.map(({ path }) => path)));
  const names = [...new Set(pictures.flatMap((of) => [...of.keys()]))].sort();
  if (names.length === 0)
    return (
      <Empty title="None of these runs has pictures">
        <p>
          <code>stele.log_image</code> and <code>stele.log_figure</code> make them.
        </p>
      </Empty>
    );
  return (
    <div className="cards pictures">
      {names.map((name) => (
        <OneName key={name} name={name} runs={runs} pictures={pictures.map((of) => of.get(name) ?? [])} />
      ))}
    </div>
  );
}

function OneName({
  name,
  runs,
  pictures,
}: {
  name: string;
  runs: readonly RunData[];
  pictures: ReturnType<typeof picturesOf> extends Map<string, infer P> ? P[] : never;
}) {
  const steps = [...new Set(pictures.flat().flatMap(({ step }) => (step === null ? [] : [step])))].sort(
    (a, b) => a - b,
  );
  const [at, setAt] = useState(steps.length - 1);
  const step = steps[at] ?? Infinity;
  return (
    <section className="card" aria-label={name}>
      <header>
        <h2 className="mono ell" title={name}>
          {name}
        </h2>
        <span className="grow" />
        {steps.length > 1 && (
          <label className="row">
            <span className="dim">step</span>
            <input
              type="range"
              min={0}
              max={steps.length - 1}
              value={at}
              aria-label={`Step of ${name}`}
              aria-valuetext={count(step)}
              onChange={(event) => setAt(Number(event.target.value))}
            />
            <span className="num">{count(step)}</span>
          </label>
        )}
      </header>
      <div className="side-by-side">
        {runs.map((run, i) => {
          const picture = pictureAt(pictures[i]!, step);
          return (
            <figure key={run.id}>
              {picture ? (
                <Media kind="image" owner={{ run_id: run.id }} path={picture.path} version={undefined} />
              ) : (
                <div className="media dim">none</div>
              )}
              <figcaption>
                <RunDot runId={run.id} /> <span className="ell">{run.name}</span>
                {picture?.step !== null && picture && picture.step !== step && (
                  <span className="dim"> step {count(picture.step)}</span>
                )}
              </figcaption>
            </figure>
          );
        })}
      </div>
    </section>
  );
}
