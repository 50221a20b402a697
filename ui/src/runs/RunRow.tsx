import { memo } from "react";
import { count } from "../format/figures";
import { Check } from "../kit/controls";
import { Icon } from "../kit/Icon";
import { RunDot } from "../kit/marks";
import { cell } from "./Cell";
import type { Row } from "./selection";
import type { PlacedColumn, TableModel } from "./tableModel";

interface Props {
  id: string;
  row: Row;
  model: TableModel;
  columns: PlacedColumn[];
  top: number | undefined;
  index: number;
  selected: boolean;
  current: boolean;
  pinned?: boolean;
  hidden: boolean;
  onPick: (index: number, event: React.MouseEvent) => void;
  onFocus: (index: number) => void;
  onFold: (runId: string) => void;
  /** The pointer rests on the link. */
  onAim: (row: Row) => void;
}

/** One run. */
export const RunRow = memo(function RunRow(props: Props) {
  const { row, model, columns, top, index, selected, current, pinned, hidden } = props;
  const classes = [
    "trow",
    selected ? "sel" : "",
    current ? "cur" : "",
    pinned ? "pin" : "",
    row.matched ? "" : "ctx-row",
  ];
  const isBaseline = model.baseline?.run_id === row.run_id;
  return (
    <div
      id={props.id}
      role="row"
      aria-rowindex={index + 2}
      aria-selected={selected}
      aria-level={row.depth > 0 ? row.depth + 1 : undefined}
      aria-expanded={row.children > 0 ? row.expanded : undefined}
      className={classes.filter(Boolean).join(" ")}
      style={{ top, width: model.width }}
      onMouseDown={() => props.onFocus(index)}
    >
      <div role="gridcell" className="cell first" style={{ width: model.nameWidth }}>
        <Check state={selected} label={`Select ${row.name}`} onToggle={(event) => props.onPick(index, event)} />
        <div className="name">
          {row.depth > 0 && <i className="ind" style={{ marginLeft: 5 + (row.depth - 1) * 14 }} />}
          {row.children > 0 && (
            <button
              type="button"
              tabIndex={-1}
              className="fold"
              title={row.expanded ? "Fold" : "Unfold"}
              onClick={() => props.onFold(row.run_id)}
            >
              <Icon name={row.expanded ? "down" : "right"} size={12} />
            </button>
          )}
          <RunDot runId={row.run_id} hollow={hidden} />
          <a
            href={addressOfRun(row)}
            onPointerEnter={() => props.onAim(row)}
            tabIndex={-1}
            title={row.name}
            className={row.children > 0 || isBaseline ? "b" : ""}
          >
            {row.name || row.run_id.slice(0, 8)}
          </a>
          {isBaseline && <span className="base">baseline</span>}
          {row.children > 0 && <span className="n">{childrenText(row)}</span>}
          {pinned && (
            <>
              <span className="grow" />
              <Icon name="pin" size={12} className="pinl" />
            </>
          )}
        </div>
      </div>
      {columns.map((place) => cell(row, place, model))}
    </div>
  );
});

/** Written out: the router's own links work out their address anew in each row and at each change of the address. */
const addressOfRun = ({ experiment_id, run_id }: Row): string =>
  `#/experiments/${encodeURIComponent(experiment_id)}/runs/${encodeURIComponent(run_id)}/`;

function childrenText({ children, matching_children: matching }: Row): string {
  return matching === children ? count(children) : `${count(matching)} of ${count(children)} match`;
}
