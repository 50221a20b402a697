/** Runs side by side: figures, curves, pictures, tables, code. */

import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { lazy, Suspense, useMemo } from "react";
import { count } from "../format/figures";
import { Button, Field, Segments, Switch } from "../kit/controls";
import { saveFile } from "../kit/saveFile";
import { Empty, Loading, Problem } from "../kit/states";
import { csvLine } from "../runs/csv";
import { ask } from "../shell/ask";
import { useShortcuts } from "../shell/shortcuts";
import { announce } from "../shell/undo";
import { CodePanel } from "./CodePanel";
import { CompareTable } from "./CompareTable";
import { compareRows } from "./rows";
import { useCompared, usePackages } from "./useCompared";
import "./compare.css";

const RunCharts = lazy(() =>
  import("../charts/RunCharts").then(({ RunCharts: component }) => ({ default: component })),
);
const Pictures = lazy(() => import("./Pictures"));
const Tables = lazy(() => import("./Tables"));

type What = "table" | "charts" | "images" | "tables";

interface Search {
  runs?: string[];
  what?: What;
  q?: string;
  diff?: boolean;
  base?: string;
}

export default function CompareTab({ experimentId }: { experimentId: string }) {
  const search = useSearch({ strict: false }) as Search;
  const navigate = useNavigate();
  const ids = useMemo(() => (Array.isArray(search.runs) ? search.runs.map(String) : []), [search.runs]);
  const change = (part: Search) =>
    void navigate({ to: ".", search: ((held: object) => ({ ...held, ...part })) as never });
  const { runs, error, isPending, refetch } = useCompared(experimentId, ids);
  const packages = usePackages(runs);
  const onlyDiffering = search.diff ?? true;
  // The packages are another list each time, and all of them come at once.
  const rows = useMemo(() => compareRows(runs, packages), [runs, packages.length]);
  const differing = rows.filter(({ differs }) => differs);
  const shown = (onlyDiffering ? differing : rows).filter(({ key }) =>
    key.toLowerCase().includes((search.q ?? "").toLowerCase()),
  );
  const baseline = Math.max(
    0,
    runs.findIndex(({ id }) => id === search.base),
  );
  const what = search.what ?? "table";

  const add = async () => {
    const text = await ask({ title: "Add a run by its id", label: "Run id", value: "", action: "Add" });
    if (!text) return;
    if (ids.includes(text)) announce("This run is already here");
    else change({ runs: [...ids, text] });
  };
  useShortcuts([
    { keys: "d", does: "Only what differs", run: () => change({ diff: !onlyDiffering }) },
    {
      keys: "b",
      does: "Next run as baseline",
      run: () => runs.length > 0 && change({ base: runs[(baseline + 1) % runs.length]!.id }),
    },
  ]);

  if (ids.length === 0) {
    return (
      <Empty title="No runs are chosen yet">
        <p>
          Select two or more runs in the{" "}
          <Link to="/experiments/$experimentId" params={{ experimentId }} className="lnk">
            table
          </Link>{" "}
          and press <kbd>c</kbd>.
        </p>
      </Empty>
    );
  }
  if (error) return <Problem what="The runs could not be read" error={error} onRetry={() => void refetch()} />;
  if (isPending) return <Loading rows={16} />;
  const exportCsv = () => {
    const lines = [
      csvLine(["section", "key", ...runs.map(({ name }) => name)]),
      ...shown.map((row) => csvLine([row.section, row.key, ...row.values])),
    ];
    saveFile("comparison.csv", lines.join(""));
  };
  return (
    <>
      <div className="qbar">
        <Segments<What>
          label="What is compared"
          value={what}
          options={[
            ["table", "Table"],
            ["charts", "Charts"],
            ["images", "Images"],
            ["tables", "Tables"],
          ]}
          onChange={(next) => change({ what: next === "table" ? undefined : next })}
        />
        <span className="grow" />
        {what === "table" && (
          <>
            <Field
              icon="search"
              label="Search keys"
              placeholder="Search keys"
              value={search.q ?? ""}
              onChange={(q) =>
                void navigate({
                  to: ".",
                  replace: true,
                  search: ((held: object) => ({ ...held, q: q || undefined })) as never,
                })
              }
            />
            <Switch on={onlyDiffering} onChange={(diff) => change({ diff })}>
              Only what differs
            </Switch>
          </>
        )}
        <Button icon="download" onClick={exportCsv}>
          Export
        </Button>
        <Button icon="plus" onClick={() => void add()}>
          Add run
        </Button>
      </div>
      <Suspense fallback={<Loading rows={12} />}>
        {what === "charts" ? (
          <RunCharts runs={runs.map(({ id, name }) => ({ runId: id, name }))} />
        ) : what === "images" ? (
          <Pictures runs={runs} />
        ) : what === "tables" ? (
          <Tables runs={runs} />
        ) : (
          <div className="compare">
            <CompareTable
              runs={runs}
              rows={shown}
              baseline={baseline}
              equal={rows.length - differing.length}
              onBaseline={(base) => change({ base })}
              onRemove={(id) => change({ runs: ids.filter((one) => one !== id) })}
            />
            <CodePanel runs={runs} baseline={baseline} />
          </div>
        )}
      </Suspense>
      <footer className="foot">
        <span>
          <b>{count(differing.length)}</b> of {count(rows.length)} keys differ
        </span>
        <span className="dim">
          {(["metrics", "params", "environment", "tags"] as const)
            .map((section) => `${section} ${differing.filter((row) => row.section === section).length}`)
            .join(" · ")}
        </span>
        {ids.length > runs.length && (
          <span>{count(ids.length - runs.length)} of the runs are not in this experiment</span>
        )}
        <span className="grow" />
        <span className="dim">The best value of a row is bold</span>
        <span>
          <kbd>D</kbd> only differing
        </span>
        <span>
          <kbd>B</kbd> next baseline
        </span>
      </footer>
    </>
  );
}
