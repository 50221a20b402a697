import { useVirtualizer } from "@tanstack/react-virtual";
import { useMemo, useRef } from "react";
import { decimalsFor } from "../../format/figures";
import { Value } from "../../kit/marks";
import { useStage } from "../board/stage";

export interface BarRow {
  runId: string;
  name: string;
  /** Of the palette. */
  color: number;
  value: number;
}

const ROW = 24;

/** A value for each run as a bar; from zero, so that lengths can be compared. */
export function BarList({ rows, name }: { rows: readonly BarRow[]; name: string }) {
  const { hovered } = useStage();
  const box = useRef<HTMLDivElement>(null);
  const values = useMemo(() => rows.map(({ value }) => value), [rows]);
  const decimals = useMemo(() => decimalsFor(values), [values]);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => box.current,
    estimateSize: () => ROW,
    overscan: 4,
  });
  const finite = values.filter(Number.isFinite);
  const low = finite.reduce((a, b) => Math.min(a, b), 0);
  const high = finite.reduce((a, b) => Math.max(a, b), 0);
  const share = (value: number) => (100 * (value - low)) / (high - low || 1);
  return (
    <div ref={box} className="bars" tabIndex={0} role="region" aria-label={`${name}, scrollable`}>
      <ul style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map((item) => {
          const { runId, name: run, color, value } = rows[item.index]!;
          const [from, to] = [share(Math.min(0, value)), share(Math.max(0, value))];
          return (
            <li
              key={runId}
              style={{ top: item.start }}
              onPointerEnter={() => hovered.set(runId)}
              onPointerLeave={() => hovered.set(null)}
            >
              <span className="ell" title={run}>
                {run}
              </span>
              <span className="track">
                {Number.isFinite(value) && (
                  <i
                    style={{
                      left: `${from}%`,
                      width: `${Math.max(0.5, to - from)}%`,
                      background: `var(--run-${color})`,
                    }}
                  />
                )}
              </span>
              <span className="r">
                <Value value={value} decimals={decimals} />
              </span>
            </li>
          );
        })}
      </ul>
    </div>
  );
}
