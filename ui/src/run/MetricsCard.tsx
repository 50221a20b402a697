import { useVirtualizer } from "@tanstack/react-virtual";
import { useMemo, useRef, useState } from "react";
import { count, decimalsFor, MISSING, toNumber } from "../format/figures";
import { runColorVar } from "../format/colors";
import { Field, Segments } from "../kit/controls";
import { Sparkline, Value } from "../kit/marks";
import { goalOf } from "../runs/columns";
import { Delta } from "../runs/Delta";
import { useCurves } from "../runs/useCurves";
import { useRunsById } from "../runs/useTable";
import type { ColumnRef } from "../runs/view";
import { isSystemMetric, type RunData } from "./runData";

const ROW = 28;
const AHEAD = 12;
const SHOWN = ["last", "min", "max"] as const;
type Shown = (typeof SHOWN)[number];

/** Every metric with its curve; only those in sight are asked for. */
export function MetricsCard({ data, base }: { data: RunData; base: RunData | null }) {
  const [search, setSearch] = useState("");
  const [shown, setShown] = useState<Shown>("last");
  const scroller = useRef<HTMLDivElement>(null);
  const all = useMemo(() => [...data.metrics.keys()].filter((key) => !isSystemMetric(key)).sort(), [data.metrics]);
  const found = useMemo(() => all.filter((key) => key.toLowerCase().includes(search.toLowerCase())), [all, search]);
  const rows = useVirtualizer({
    count: found.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW,
    overscan: 6,
  });
  const items = rows.getVirtualItems();
  const inSight = found.slice(
    Math.floor((items[0]?.index ?? 0) / AHEAD) * AHEAD,
    Math.ceil(((items.at(-1)?.index ?? AHEAD) + 1) / AHEAD) * AHEAD,
  );

  const columns = inSight.flatMap((key): ColumnRef[] =>
    (["min", "max"] as const).map((aggregate) => ({ kind: "metric", key, aggregate })),
  );
  const values = useRunsById(data.experimentId, [data.id], columns)[0]?.values ?? [];
  const extremes = new Map(
    inSight.map((key, i) => [key, [toNumber(values[2 * i]), toNumber(values[2 * i + 1])] as const]),
  );
  const curves = useCurves(
    data.experimentId,
    inSight.map((key) => ({ kind: "metric", key, aggregate: "curve" })),
    [data.id],
    String(data.run.info.end_time ?? [...data.metrics.values()].reduce((sum, { step }) => sum + step, 0)),
  );
  const last = (key: string) => data.metrics.get(key)!;
  const valueOf = (key: string): number | null =>
    shown === "last" ? last(key).value : (extremes.get(key)?.[shown === "min" ? 0 : 1] ?? null);

  return (
    <section className="card metrics-card" aria-label="Metrics">
      <header>
        <h2>Metrics</h2>
        <span className="n">{search ? `${count(found.length)} of ${count(all.length)}` : count(all.length)}</span>
        <span className="grow" />
        <Field small icon="search" label="Search metrics" placeholder="Search" value={search} onChange={setSearch} />
        <Segments<Shown>
          small
          label="Which value"
          value={shown}
          options={[
            ["last", "Last"],
            ["min", "Min"],
            ["max", "Max"],
          ]}
          onChange={setShown}
        />
      </header>
      <div className="mrow mhead" aria-hidden="true">
        <span>Metric</span>
        <span>Curve</span>
        <span className="r">{{ last: "Last", min: "Min", max: "Max" }[shown]}</span>
        <span className="r">{base ? "Δ base" : ""}</span>
        <span className="r">Best</span>
        <span className="r">at step</span>
      </div>
      <div
        className="scroll"
        ref={scroller}
        role="table"
        aria-label="Metrics"
        aria-rowcount={found.length}
        tabIndex={0}
      >
        {all.length === 0 && <p className="dim hint">No metric is logged yet.</p>}
        <div className="sizer" style={{ height: rows.getTotalSize() }}>
          {items.map(({ index, start }) => {
            const key = found[index]!;
            const value = valueOf(key);
            const other = base?.metrics.get(key)?.value ?? null;
            const decimals = decimalsFor(
              [value, other, ...(extremes.get(key) ?? [])].filter((one): one is number => one !== null),
            );
            const curve = curves(data.id, key);
            const goal = goalOf(key);
            const best = goal === "down" ? extremes.get(key)?.[0] : goal === "up" ? extremes.get(key)?.[1] : null;
            return (
              <div key={key} role="row" aria-rowindex={index + 1} className="mrow" style={{ top: start }}>
                <span role="rowheader" className="mono ell" title={key}>
                  {key}
                </span>
                <span role="cell">
                  {curve && curve.length > 1 && (
                    <Sparkline values={curve} color={runColorVar(data.id)} live={data.run.info.status === "RUNNING"} />
                  )}
                </span>
                <span role="cell" className="num b">
                  <Value value={value} decimals={decimals} />
                </span>
                <span role="cell" className="num">
                  <Delta value={value} base={other} goal={goal} decimals={decimals} />
                </span>
                <span role="cell" className="num">
                  {best === null || best === undefined ? (
                    <span className="dim">{MISSING}</span>
                  ) : (
                    <Value value={best} decimals={decimals} />
                  )}
                </span>
                <span role="cell" className="num dim">
                  {count(last(key).step)}
                </span>
              </div>
            );
          })}
        </div>
      </div>
    </section>
  );
}
