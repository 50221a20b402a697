import { useQueries } from "@tanstack/react-query";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { count, decimalsFor, toNumber } from "../../format/figures";
import { Button } from "../../kit/controls";
import { Icon } from "../../kit/Icon";
import { RunDot, Value } from "../../kit/marks";
import type { Row, Selection } from "../../runs/selection";
import { columnId, type ColumnRef, type RunsView } from "../../runs/view";
import { FEW, MOST } from "../board/settings";
import { useIsHovered, useStage } from "../board/stage";
import { conditionsOf, rowsQuery } from "../data/runs";
import { GROUP_ROWS, PAGE, type DrawnRuns, type ListedGroup } from "./useRunList";

const ROW = 28;
const MORE = 100;

type Item =
  | { kind: "run"; row: Row | null; key: string }
  | { kind: "group"; listed: ListedGroup; key: string }
  | { kind: "more"; listed: ListedGroup; left: number; key: string };

interface RunListProps {
  experimentId: string;
  selection: Selection;
  view: RunsView;
  columns: readonly ColumnRef[];
  groups: readonly ListedGroup[];
  /** How many groups there are, of which the first are listed. */
  groupsTotal: number;
  drawn: DrawnRuns;
  onToggle: (runId: string) => void;
  onShow: (runs: number) => void;
}

/** All runs of the view beside the charts, which it is the legend of. */
export function RunList(props: RunListProps) {
  const { view, columns, groups, groupsTotal, drawn, onToggle, onShow } = props;
  const box = useRef<HTMLDivElement>(null);
  const grouped = view.group.length > 0;
  const flat = useFlat(props, !grouped);
  const inGroups = useGrouped(props, grouped);
  const items = grouped ? inGroups.items : flat.items;
  const virtual = useVirtualizer({
    count: items.length,
    getScrollElement: () => box.current,
    estimateSize: () => ROW,
    getItemKey: (i) => items[i]!.key,
    overscan: 8,
  });
  const shown = virtual.getVirtualItems();
  const first = Math.floor((shown[0]?.index ?? 0) / PAGE);
  const last = Math.floor((shown[shown.length - 1]?.index ?? 0) / PAGE);
  const { want } = flat;
  useEffect(() => want(first, last), [want, first, last]);
  const drawnIds = useMemo(() => new Set(drawn.runs.map(({ runId }) => runId)), [drawn.runs]);
  const decimals = useMemo(() => {
    const rows = items.flatMap((item) => (item.kind === "run" && item.row ? [item.row] : []));
    return columns.map((_, i) => decimalsFor(rows.slice(0, PAGE).flatMap((row) => toNumber(row.values[i]) ?? [])));
  }, [items, columns]);
  return (
    <>
      <div className="th">
        <Icon name="eye" size={14} />
        <span className="grow">Run</span>
        {columns.map((column) => (
          <span key={columnId(column)} className={`v ell ${column.kind === "metric" ? "" : "p"}`} title={column.key}>
            {column.key}
          </span>
        ))}
      </div>
      <div className="runs" ref={box} role="list" aria-label="Runs" tabIndex={-1}>
        <div style={{ height: virtual.getTotalSize() }}>
          {shown.map(({ index, key, start }) => {
            const item = items[index]!;
            const style = { transform: `translateY(${start}px)` };
            if (item.kind === "group") {
              return (
                <GroupRow
                  key={key}
                  style={style}
                  listed={item.listed}
                  mean={groups.length > 0}
                  fold={inGroups.fold}
                  closed={inGroups.closed}
                />
              );
            }
            if (item.kind === "more") {
              return (
                <div key={key} className="li" style={style} role="listitem">
                  <Icon name="down" size={14} />
                  <button type="button" className="lnk" onClick={() => inGroups.more(item.listed.name)}>
                    {count(item.left)} more
                  </button>
                  <span className="dim">in this group</span>
                </div>
              );
            }
            return item.row ? (
              <RunRow
                key={key}
                style={style}
                row={item.row}
                on={drawnIds.has(item.row.run_id)}
                columns={columns}
                decimals={decimals}
                onToggle={onToggle}
              />
            ) : (
              <div key={key} className="li" style={style} aria-hidden="true" />
            );
          })}
        </div>
      </div>
      <div className="foot">
        <span>
          <b>{count(drawn.runs.length)}</b> shown
        </span>
        <span className="dim" title={`A chart draws up to ${MOST} runs`}>
          of {count(drawn.matched)}
          {grouped ? ` in ${count(groupsTotal)} groups` : ""}
          {groups.length < groupsTotal ? `, the first ${groups.length} listed` : ""}
          {drawn.runs.length >= MOST && drawn.matched > MOST ? ` · ${MOST} at most` : ""}
        </span>
        <span className="grow" />
        <ShowButton drawn={drawn} onShow={onShow} />
      </div>
    </>
  );
}

function ShowButton({ drawn, onShow }: { drawn: DrawnRuns; onShow: (runs: number) => void }) {
  const { settings } = useStage();
  if (settings.show !== FEW) {
    return (
      <button type="button" className="lnk" onClick={() => onShow(FEW)}>
        Show {FEW}
      </button>
    );
  }
  if (drawn.matched <= drawn.runs.length) return null;
  return (
    <button type="button" className="lnk" onClick={() => onShow(MOST)}>
      {drawn.matched <= MOST ? "Show all" : `Show ${MOST}`}
    </button>
  );
}

function RunRow({
  row,
  on,
  columns,
  decimals,
  onToggle,
  style,
}: {
  row: Row;
  on: boolean;
  columns: readonly ColumnRef[];
  decimals: readonly number[];
  onToggle: (runId: string) => void;
  style: React.CSSProperties;
}) {
  const { hovered } = useStage();
  const lifted = useIsHovered(hovered, row.run_id);
  const name = row.name || row.run_id.slice(0, 8);
  return (
    <div
      role="listitem"
      className={`li ${on ? "" : "off"} ${lifted ? "hi" : ""}`}
      style={style}
      onPointerEnter={() => hovered.set(row.run_id)}
      onPointerLeave={() => hovered.set(null)}
    >
      <button
        type="button"
        className="eye"
        aria-pressed={on}
        aria-label={`${on ? "Hide" : "Show"} ${name}`}
        title={on ? "Hide in charts" : "Show in charts"}
        onFocus={() => hovered.set(row.run_id)}
        onBlur={() => hovered.set(null)}
        onClick={() => onToggle(row.run_id)}
      >
        <Icon name={on ? "eye" : "eyeoff"} size={14} />
      </button>
      <RunDot runId={row.run_id} />
      <span className="nm" title={name}>
        {name}
      </span>
      {row.status === "RUNNING" && (
        <span className="st run" role="img" aria-label="Running" title="Running">
          <i />
        </span>
      )}
      {columns.map((column, i) => (
        <Figure key={columnId(column)} column={column} value={row.values[i]} decimals={decimals[i]!} />
      ))}
    </div>
  );
}

function Figure({
  column,
  value,
  decimals,
}: {
  column: ColumnRef;
  value: number | string | null | undefined;
  decimals: number;
}) {
  if (column.kind !== "metric") {
    return (
      <span className="v p n ell" title={String(value ?? "")}>
        {value}
      </span>
    );
  }
  return (
    <span className="v">
      <Value value={toNumber(value)} decimals={decimals} />
    </span>
  );
}

function GroupRow({
  listed,
  mean,
  fold,
  closed,
  style,
}: {
  listed: ListedGroup;
  mean: boolean;
  fold: (name: string) => void;
  closed: ReadonlySet<string>;
  style: React.CSSProperties;
}) {
  const { groups, settings } = useStage();
  const open = !closed.has(listed.name);
  const figures = listed.group.aggregates[0];
  const color = settings.mean ? groups.find(({ name }) => name === listed.name)?.color : undefined;
  return (
    <div className="gp" style={style} role="listitem">
      <Button
        kind="ghost"
        small
        icon={open ? "down" : "right"}
        title={`${open ? "Fold" : "Unfold"} ${listed.name}`}
        aria-expanded={open}
        onClick={() => fold(listed.name)}
      />
      {color && <i className="rd" style={{ background: `var(--run-${color})` }} />}
      <b className="b mono ell" title={listed.name}>
        {listed.name}
      </b>
      <span className="n">{count(listed.group.count)}</span>
      <span className="grow" />
      {mean && figures && (
        <>
          <span className="n">mean</span>
          <span title={`min ${figures.min}, max ${figures.max}`}>
            <Value value={toNumber(figures.mean)} />
          </span>
        </>
      )}
    </div>
  );
}

/** Rows in the table's order, read in pages as they come into sight. */
function useFlat({ experimentId, selection, columns, drawn }: RunListProps, enabled: boolean) {
  const [[from, to], setPages] = useState<readonly [number, number]>([0, 0]);
  const pages = Array.from({ length: to - from + 1 }, (_, i) => from + i);
  const answers = useQueries({
    queries: pages.map((page) => ({
      ...rowsQuery(experimentId, selection, columns, page === 0 ? { rows: PAGE } : { offset: page * PAGE, rows: PAGE }),
      enabled,
    })),
  });
  const stamp = answers.map(({ dataUpdatedAt }) => dataUpdatedAt).join();
  const items = useMemo(() => {
    const rows = new Map<number, Row>();
    answers.forEach(({ data, isPlaceholderData }, i) => {
      if (!isPlaceholderData) data?.rows.forEach((row, k) => rows.set(pages[i]! * PAGE + k, row));
    });
    return Array.from({ length: enabled ? drawn.matched : 0 }, (_, i): Item => {
      const row = rows.get(i) ?? null;
      return { kind: "run", row, key: row?.run_id ?? `row ${i}` };
    });
    // The answers are other objects each time; their times say when one has changed.
  }, [stamp, from, to, drawn.matched, enabled]);
  const want = useCallback(
    (first: number, last: number) =>
      setPages((held) => (held[0] === first && held[1] === last ? held : ([first, last] as const))),
    [],
  );
  return { items, want };
}

/** Groups with their first rows, and more of them where that was asked for. */
function useGrouped({ experimentId, selection, view, columns, groups }: RunListProps, enabled: boolean) {
  const [extra, setExtra] = useState<ReadonlyMap<string, number>>(new Map());
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const open = groups.filter(({ name }) => !closed.has(name));
  const answers = useQueries({
    queries: open.map(({ name, group }) => ({
      ...rowsQuery(experimentId, selection, columns, {
        rows: GROUP_ROWS + (extra.get(name) ?? 0),
        within: conditionsOf(view.group, group),
      }),
      enabled,
    })),
  });
  const stamp = answers.map(({ dataUpdatedAt }) => dataUpdatedAt).join();
  const items = useMemo(() => {
    const rows = new Map(open.map(({ name }, i) => [name, answers[i]?.data?.rows ?? []]));
    return groups.flatMap((listed): Item[] => {
      const head: Item = { kind: "group", listed, key: `group ${listed.name}` };
      if (closed.has(listed.name)) return [head];
      const held = rows.get(listed.name) ?? [];
      const left = listed.group.count - held.length;
      return [
        head,
        ...held.map((row): Item => ({ kind: "run", row, key: row.run_id })),
        ...(left > 0 ? [{ kind: "more" as const, listed, left, key: `more ${listed.name}` }] : []),
      ];
    });
  }, [stamp, groups, closed, enabled]);
  return {
    items,
    closed,
    more: (name: string) =>
      setExtra(new Map(extra).set(name, Math.min(1000 - GROUP_ROWS, (extra.get(name) ?? 0) + MORE))),
    fold: (name: string) => {
      const next = new Set(closed);
      if (!next.delete(name)) next.add(name);
      setClosed(next);
    },
  };
}
