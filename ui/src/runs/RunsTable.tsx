/** The table: as many rows as there are runs, of which those in sight are in the document. */

import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useId, useMemo, useRef, useState } from "react";
import { GroupRow } from "./GroupRow";
import { HeaderRow } from "./HeaderRow";
import { RunRow } from "./RunRow";
import type { Selected } from "./selected";
import { locate, type Layout } from "./segments";
import type { Row } from "./selection";
import { columnsInSight, type TableModel } from "./tableModel";
import type { ColumnRef, RunsView } from "./view";
import "./table.css";

const ROW = 28;
const HEAD = 52;
const END_PADDING = 64;
const OVERSCAN = 8;

interface Props {
  layout: Layout;
  rowAt: (index: number) => Row | undefined;
  pinned: readonly Row[];
  model: TableModel;
  view: RunsView;
  change: (part: Partial<RunsView>, options?: { replace?: boolean }) => void;
  shown: ColumnRef[];
  selected: Selected;
  allSelected: boolean | "part";
  onSelectAll: () => void;
  onPick: (index: number, event: { shiftKey: boolean }) => void;
  current: number;
  onCurrent: (index: number) => void;
  onFold: (runId: string) => void;
  onFoldGroup: (group: string) => void;
  onRange: (first: number, last: number) => void;
}

export function RunsTable(props: Props) {
  const { layout, pinned, model, view, current, onRange } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const name = useId();
  const [sight, setSight] = useState(() => sightOf(0, innerWidth));
  const rows = useVirtualizer({
    count: layout.total,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW,
    overscan: OVERSCAN,
    paddingEnd: END_PADDING,
    scrollPaddingStart: HEAD + pinned.length * ROW,
    scrollPaddingEnd: END_PADDING,
  });
  const items = rows.getVirtualItems();
  const first = items[0]?.index ?? 0;
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => onRange(first, last), [first, last, onRange]);
  useEffect(() => {
    if (current >= 0) rows.scrollToIndex(current);
  }, [current, rows]);

  const look = () => {
    const box = scroller.current;
    if (!box) return;
    const { from, to } = sightOf(box.scrollLeft, box.clientWidth);
    setSight((held) => (held.from === from && held.to === to ? held : { from, to }));
  };
  useEffect(() => {
    look();
    const watch = new ResizeObserver(look);
    watch.observe(scroller.current!);
    return () => watch.disconnect();
  }, []);

  const columns = useSame(useMemo(() => columnsInSight(model, sight.from, sight.to), [model, sight]));
  const rowProps = { model, columns, onFocus: props.onCurrent, onPick: props.onPick, onFold: props.onFold };
  return (
    <div
      ref={scroller}
      className="tscroll"
      role={view.group.length > 0 || view.tree ? "treegrid" : "grid"}
      tabIndex={0}
      aria-label="Runs"
      aria-rowcount={layout.total + 1}
      aria-colcount={model.columns.length + 1}
      aria-multiselectable="true"
      aria-activedescendant={current >= 0 ? `${name}${current}` : undefined}
      onScroll={look}
    >
      <HeaderRow
        model={model}
        columns={columns}
        view={view}
        change={props.change}
        shown={props.shown}
        allSelected={props.allSelected}
        onSelectAll={props.onSelectAll}
      />
      {pinned.length > 0 && (
        <div role="rowgroup" className="tpins" style={{ width: model.width, height: pinned.length * ROW }}>
          {pinned.map((row, i) => (
            <RunRow
              key={row.run_id}
              id={`${name}p${i}`}
              row={row}
              {...rowProps}
              pinned
              top={i * ROW}
              index={-1 - i}
              selected={props.selected.has(row.run_id)}
              current={false}
              hidden={view.hidden.includes(row.run_id)}
            />
          ))}
        </div>
      )}
      <div role="rowgroup" className="tbody" style={{ height: rows.getTotalSize(), width: model.width }}>
        {items.map(({ index, start }) => {
          const place = locate(layout, index);
          if (!place) return null;
          const id = `${name}${index}`;
          if (place.segment.kind === "header") {
            return (
              <GroupRow
                key={index}
                id={id}
                segment={place.segment}
                by={view.group}
                model={model}
                columns={columns}
                top={start}
                index={index}
                current={index === current}
                onFold={props.onFoldGroup}
              />
            );
          }
          const row = props.rowAt(index);
          if (!row)
            return (
              <div
                key={index}
                role="row"
                aria-rowindex={index + 2}
                className="trow sk"
                style={{ top: start, width: model.width }}
              >
                <i />
                <i />
                <i />
              </div>
            );
          return (
            <RunRow
              key={index}
              id={id}
              row={row}
              {...rowProps}
              top={start}
              index={index}
              selected={props.selected.has(row.run_id)}
              current={index === current}
              hidden={view.hidden.includes(row.run_id)}
            />
          );
        })}
      </div>
    </div>
  );
}

const STEP = 200;

/** Columns come and go in steps, so that most scrolling sideways changes nothing. */
const sightOf = (left: number, width: number) => ({
  from: Math.floor(left / STEP) * STEP - STEP,
  to: Math.ceil((left + width) / STEP) * STEP + STEP,
});

/** The list of before, while it holds the same things. */
function useSame<T>(list: T[]): T[] {
  const held = useRef(list);
  const same = held.current.length === list.length && list.every((one, i) => one === held.current[i]);
  if (!same) held.current = list;
  return held.current;
}
