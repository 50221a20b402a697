import { useQueries, useQuery } from "@tanstack/react-query";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useRef } from "react";
import { get } from "../../api/client";
import { bytes, count } from "../../format/figures";
import { Loading, Problem } from "../../kit/states";
import { ownerKey, type Owner } from "./owner";

const ROW = 28;
const BLOCK = 200;

/** A table in a file, by the windows that are in sight. */
export function TableView({ owner, path, version }: { owner: Owner; path: string; version: number | undefined }) {
  const scroller = useRef<HTMLDivElement>(null);
  const options = (offset: number) => ({
    queryKey: [...ownerKey(owner), "table", path, version, offset],
    queryFn: ({ signal }: { signal: AbortSignal }) =>
      get(
        "/api/2.0/stele/artifacts/table",
        { ...owner, path, file_version: version ?? 0, offset, limit: BLOCK },
        { signal },
      ),
  });
  const first = useQuery({ ...options(0), retry: false });
  const total = first.data?.total ?? 0;
  const rows = useVirtualizer({
    count: total,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW,
    overscan: 10,
  });
  const items = rows.getVirtualItems();
  const from = Math.floor((items[0]?.index ?? 0) / BLOCK);
  const to = Math.floor((items.at(-1)?.index ?? 0) / BLOCK);
  const blocks = useQueries({
    queries: total > 0 ? Array.from({ length: to - from + 1 }, (_, i) => options((from + i) * BLOCK)) : [],
  });
  if (first.error)
    return <Problem what="The table could not be read" error={first.error} onRetry={() => void first.refetch()} />;
  if (!first.data) return <Loading />;
  const columns = first.data.columns ?? [];
  const widths = columns.map(({ name }, at) =>
    width(
      name,
      (first.data.rows ?? []).map((row) => row[at]),
    ),
  );
  const all = widths.reduce((sum, one) => sum + one, 64);
  const row = (index: number) => blocks[Math.floor(index / BLOCK) - from]?.data?.rows?.[index % BLOCK];
  return (
    <>
      <div className="scroll data" ref={scroller} role="table" aria-label={path} aria-rowcount={total} tabIndex={0}>
        <div className="dhead" role="row" style={{ width: all }}>
          <span className="dcell dim" style={{ width: 64 }} role="columnheader">
            #
          </span>
          {columns.map(({ name, type }, at) => (
            <span
              key={at}
              role="columnheader"
              className={`dcell ${type === "number" ? "num" : ""}`}
              style={{ width: widths[at] }}
              title={`${name}: ${type}`}
            >
              {name}
            </span>
          ))}
        </div>
        <div className="sizer" style={{ height: rows.getTotalSize(), width: all }}>
          {items.map(({ index, start }) => (
            <div key={index} role="row" className="drow" style={{ top: start }}>
              <span className="dcell dim" style={{ width: 64 }} role="cell">
                {count(index)}
              </span>
              {columns.map(({ type }, at) => {
                const value = row(index)?.[at];
                return (
                  <span
                    key={at}
                    role="cell"
                    className={`dcell ${type === "number" ? "num" : ""}`}
                    style={{ width: widths[at] }}
                    title={value === null || value === undefined ? "" : String(value)}
                  >
                    {value === null ? <span className="dim">—</span> : String(value ?? "")}
                  </span>
                );
              })}
            </div>
          ))}
        </div>
      </div>
      <p className="more">
        {count(total)} rows, {count(columns.length)} columns
        {!first.data.complete && ` in the first ${bytes(first.data.scanned_bytes)} of the file`}
      </p>
    </>
  );
}

/** Wide enough for the head and for what the first rows hold, within reason. */
function width(name: string, values: readonly unknown[]): number {
  const longest = values
    .slice(0, 50)
    .reduce<number>((most, value) => Math.max(most, String(value ?? "").length), name.length);
  return Math.min(320, Math.max(64, longest * 7.2 + 20));
}
