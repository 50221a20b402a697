/** The table: as many rows as there are runs, of which those in sight are in the document. */

import { useRouter } from "@tanstack/react-router";
import { useCallback, useEffect, useId, useMemo, useRef, useState } from "react";
import { flushSync } from "react-dom";
import { toRun } from "../run/links";
import { GroupRow } from "./GroupRow";
import { HeaderRow } from "./HeaderRow";
import { RunRow } from "./RunRow";
import type { Selected } from "./selected";
import { locate, type Layout } from "./segments";
import type { Row } from "./selection";
import { columnsInSight, type TableModel } from "./tableModel";
import { useRowsInView } from "./useRowsInView";
import type { ColumnRef, RunsView, Sort } from "./view";
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
  onAimSort: (sort: Sort[]) => void;
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
  const body = useRef<HTMLDivElement>(null);
  const name = useId();
  const [sight, setSight] = useState(() => sightOf(0, innerWidth));
  const { first, end, most, onScroll, scrollToRow } = useRowsInView(scroller, {
    count: layout.total,
    rowHeight: ROW,
    above: HEAD + pinned.length * ROW,
    below: END_PADDING,
    overscan: OVERSCAN,
  });
  useEffect(() => onRange(first, Math.max(first, end - 1)), [first, end, onRange]);
  useEffect(() => {
    if (current >= 0) scrollToRow(current);
  }, [current, scrollToRow]);

  const look = () => {
    const box = scroller.current;
    if (!box) return;
    box.toggleAttribute("data-aside", box.scrollLeft > 0);
    const { from, to } = sightOf(box.scrollLeft, box.clientWidth);
    setSight((held) => (held.from === from && held.to === to ? held : { from, to }));
  };
  const scrolled = () => {
    // An element of a row may soon be that of another one: it must not keep the keys.
    if (body.current?.contains(document.activeElement)) scroller.current?.focus({ preventScroll: true });
    // In the frame in which the table has scrolled, the rows of its new place are painted.
    flushSync(() => {
      look();
      onScroll();
    });
  };
  useEffect(() => {
    look();
    const watch = new ResizeObserver(look);
    watch.observe(scroller.current!);
    return () => watch.disconnect();
  }, []);

  const columns = useSame(useMemo(() => columnsInSight(model, sight.from, sight.to), [model, sight]));
  const router = useRouter();
  const onAim = useCallback(
    ({ experiment_id, run_id }: Row) => void router.preloadRoute(toRun(experiment_id, run_id) as never),
    [router],
  );
  const rowProps = { model, columns, onAim, onFocus: props.onCurrent, onPick: props.onPick, onFold: props.onFold };
  const bodyRow = (index: number) => {
    const place = locate(layout, index);
    if (!place) return null;
    // What goes out of sight on one side comes back on the other: to change elements costs less than to make them.
    const key = index % most;
    const common = { id: `${name}${index}`, top: index * ROW, index, current: index === current };
    if (place.segment.kind === "header") {
      const { segment } = place;
      return (
        <GroupRow key={key} {...common} {...{ segment, model, columns }} by={view.group} onFold={props.onFoldGroup} />
      );
    }
    const row = props.rowAt(index);
    if (!row) return <RowToCome key={key} top={common.top} index={index} width={model.width} />;
    return (
      <RunRow
        key={key}
        {...common}
        {...rowProps}
        row={row}
        selected={props.selected.has(row.run_id)}
        hidden={view.hidden.includes(row.run_id)}
      />
    );
  };
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
      onScroll={scrolled}
    >
      <HeaderRow
        model={model}
        columns={columns}
        view={view}
        change={props.change}
        shown={props.shown}
        allSelected={props.allSelected}
        onSelectAll={props.onSelectAll}
        onAim={props.onAimSort}
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
      <div
        ref={body}
        role="rowgroup"
        className="tbody"
        style={{ height: layout.total * ROW + END_PADDING, width: model.width }}
      >
        {Array.from({ length: end - first }, (_, i) => bodyRow(first + i))}
      </div>
    </div>
  );
}

/** Stands where a run will, once its values are there. */
const RowToCome = ({ top, index, width }: { top: number; index: number; width: number }) => (
  <div role="row" aria-rowindex={index + 2} className="trow sk" style={{ top, width }}>
    <i />
    <i />
    <i />
  </div>
);

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
