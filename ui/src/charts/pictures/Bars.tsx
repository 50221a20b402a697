import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useMemo, useRef } from "react";
import { runColorVar } from "../../format/colors";
import { decimalsFor } from "../../format/figures";
import { Value } from "../../kit/marks";
import { useStage } from "../board/stage";
import { runsNote, type PictureData } from "./Picture";

const ROW = 24;

/** The value of a column in each run, in the order of the table; from zero, so that lengths can be compared. */
export function Bars({ data, name, onNote }: { data: PictureData; name: string; onNote: (note: string) => void }) {
  const { hovered } = useStage();
  const box = useRef<HTMLDivElement>(null);
  const column = data.columns[0]!;
  const rows = useMemo(
    () =>
      column.kind === "number"
        ? data.runIds.flatMap((runId, row) => {
            const value = column.values[row];
            return value === null || value === undefined ? [] : [{ runId, name: data.names[row]!, value }];
          })
        : [],
    [data, column],
  );
  const decimals = useMemo(() => decimalsFor(rows.map(({ value }) => value)), [rows]);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => box.current,
    estimateSize: () => ROW,
    overscan: 4,
  });
  useEffect(() => onNote(runsNote(rows.length, data.matched)), [onNote, rows, data]);
  if (column.kind === "text") return <p className="nothing">{data.refs[0]!.key} has no numbers</p>;
  const [low, high] = [Math.min(0, column.extent[0]), Math.max(0, column.extent[1])];
  const share = (value: number) => (100 * (value - low)) / (high - low || 1);
  return (
    <div ref={box} className="bars" tabIndex={0} role="region" aria-label={`${name}, scrollable`}>
      <ul style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map((item) => {
          const { runId, name: run, value } = rows[item.index]!;
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
                <i
                  style={{ left: `${from}%`, width: `${Math.max(0.5, to - from)}%`, background: runColorVar(runId) }}
                />
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
