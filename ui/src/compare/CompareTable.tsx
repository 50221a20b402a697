import { useVirtualizer } from "@tanstack/react-virtual";
import { Link } from "@tanstack/react-router";
import { useMemo, useRef } from "react";
import { count, decimalsFor, MISSING } from "../format/figures";
import { runColorVar } from "../format/colors";
import { Button } from "../kit/controls";
import { Moment, RunDot, Value } from "../kit/marks";
import { Duration } from "../runs/Cell";
import { BaseMark, Delta } from "../runs/Delta";
import { toRun } from "../run/links";
import type { RunData } from "../run/runData";
import { shareOf, type CompareRow, type Section } from "./rows";

const ROW = 28;
const KEY_WIDTH = 180;
const RUN_WIDTH = 184;
const TITLES: Record<Section, string> = {
  metrics: "Metrics",
  params: "Params",
  environment: "Environment",
  tags: "Tags",
};

type Line = { kind: "head"; section: Section; differing: number; all: number } | { kind: "row"; row: CompareRow };

interface Props {
  runs: readonly RunData[];
  rows: readonly CompareRow[];
  baseline: number;
  equal: number;
  onBaseline: (runId: string) => void;
  onRemove: (runId: string) => void;
}

/** Keys down, runs across; rows and runs beyond the window are not in the document. */
export function CompareTable({ runs, rows, baseline, equal, onBaseline, onRemove }: Props) {
  const scroller = useRef<HTMLDivElement>(null);
  const lines = useMemo(() => linesOf(rows), [rows]);
  const down = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW,
    overscan: 10,
  });
  const across = useVirtualizer({
    count: runs.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => RUN_WIDTH,
    horizontal: true,
    overscan: 2,
    scrollPaddingStart: KEY_WIDTH,
  });
  const columns = across.getVirtualItems();
  const width = KEY_WIDTH + across.getTotalSize();
  return (
    <div
      className="cmp"
      ref={scroller}
      role="grid"
      aria-label="Comparison"
      aria-colcount={runs.length + 1}
      aria-rowcount={lines.length + 1}
      tabIndex={0}
    >
      <div className="cmp-head" role="row" style={{ width }}>
        <span className="ckey dim" role="columnheader">
          Metrics show the last value
        </span>
        {columns.map(({ index, start }) => {
          const run = runs[index]!;
          const { info } = run.run;
          return (
            <div
              key={run.id}
              role="columnheader"
              className={`chead ${index === baseline ? "base" : ""}`}
              style={{ left: KEY_WIDTH + start, width: RUN_WIDTH }}
            >
              <span className="name">
                <RunDot runId={run.id} />
                <Link {...toRun(run.experimentId, run.id)} title={run.name}>
                  {run.name}
                </Link>
              </span>
              <span className="dim">
                <Moment time={info.start_time} /> ·{" "}
                <Duration row={{ start_time: info.start_time, end_time: info.end_time ?? null, status: info.status }} />
              </span>
              <span className="row">
                {index === baseline ? (
                  <span className="accent">baseline</span>
                ) : (
                  <button type="button" className="lnk" onClick={() => onBaseline(run.id)}>
                    Set as baseline
                  </button>
                )}
                <span className="grow" />
                <Button small kind="ghost" icon="x" title={`Remove ${run.name}`} onClick={() => onRemove(run.id)} />
              </span>
            </div>
          );
        })}
      </div>
      <div className="sizer" style={{ height: down.getTotalSize(), width }}>
        {down.getVirtualItems().map(({ index, start }) => {
          const line = lines[index]!;
          if (line.kind === "head") {
            return (
              <div key={`head ${line.section}`} role="row" className="crow group" style={{ top: start, width }}>
                <b role="rowheader" className="ckey">
                  {TITLES[line.section]}{" "}
                  <span className="n">
                    {count(line.differing)} differ
                    {line.all > line.differing && ` · ${count(line.all - line.differing)} same`}
                  </span>
                </b>
              </div>
            );
          }
          const { row } = line;
          const numbers = row.values.filter((value): value is number => typeof value === "number");
          const decimals = decimalsFor(numbers);
          return (
            <div
              key={`${row.section}:${row.key}`}
              role="row"
              aria-rowindex={index + 2}
              className="crow"
              style={{ top: start, width }}
            >
              <span role="rowheader" className="ckey mono ell" title={row.key}>
                {row.key} {row.goal && <span className="dim">{row.goal === "up" ? "↑" : "↓"}</span>}
              </span>
              {columns.map(({ index: at, start: left }) => (
                <OneCell
                  key={at}
                  row={row}
                  at={at}
                  baseline={baseline}
                  decimals={decimals}
                  runId={runs[at]!.id}
                  left={KEY_WIDTH + left}
                />
              ))}
            </div>
          );
        })}
      </div>
      {lines.length === 0 && (
        <p className="hint dim">Nothing differs{equal > 0 && `: ${count(equal)} keys are the same in all runs`}.</p>
      )}
    </div>
  );
}

function linesOf(rows: readonly CompareRow[]): Line[] {
  return (Object.keys(TITLES) as Section[]).flatMap((section): Line[] => {
    const some = rows.filter((row) => row.section === section);
    if (some.length === 0) return [];
    const differing = some.filter(({ differs }) => differs).length;
    return [{ kind: "head", section, differing, all: some.length }, ...some.map((row): Line => ({ kind: "row", row }))];
  });
}

function OneCell({
  row,
  at,
  baseline,
  decimals,
  runId,
  left,
}: {
  row: CompareRow;
  at: number;
  baseline: number;
  decimals: number;
  runId: string;
  left: number;
}) {
  const value = row.values[at]!;
  const base = row.values[baseline]!;
  const differs = at !== baseline && !Object.is(value, base);
  const style = { left, width: RUN_WIDTH };
  if (row.section !== "metrics") {
    return (
      <span
        role="gridcell"
        className={`ccell mono ${differs ? "differs" : ""} ${at === baseline ? "base" : ""}`}
        style={style}
        title={String(value ?? "")}
      >
        {value === null ? <span className="dim">{MISSING}</span> : String(value)}
      </span>
    );
  }
  const share = shareOf(row, at);
  return (
    <span role="gridcell" className={`ccell ${at === baseline ? "base" : ""}`} style={style}>
      <i className="bar">
        <i style={{ width: `${(share ?? 0) * 100}%`, background: runColorVar(runId) }} />
      </i>
      <span className={row.best[at] ? "best" : ""}>
        <Value value={typeof value === "number" ? value : null} decimals={decimals} />
      </span>
      {at === baseline ? <BaseMark /> : <Delta value={value} base={base} goal={row.goal} decimals={decimals} />}
    </span>
  );
}
