import { memo, useRef, useState } from "react";
import { Check } from "../kit/controls";
import { Menu } from "../kit/Popover";
import { columnLabel, groupLabel, MIN_WIDTH, NAME_WIDTH } from "./columns";
import { columnMenu } from "./columnMenu";
import { canSort, NAME_COLUMN, sortBy } from "./sorting";
import type { PlacedColumn, TableModel } from "./tableModel";
import { columnId, type ColumnRef, type RunsView, type Sort } from "./view";

interface Props {
  model: TableModel;
  columns: PlacedColumn[];
  view: RunsView;
  change: (part: Partial<RunsView>, options?: { replace?: boolean }) => void;
  /** All shown columns, in order. */
  shown: ColumnRef[];
  allSelected: boolean | "part";
  onSelectAll: () => void;
  /** The pointer rests on a head that would sort by this. */
  onAim: (sort: Sort[]) => void;
}

/** How long a pointer rests where it is going to press, in milliseconds. */
const AIM = 80;

/** Two lines: what kind of column, and its name. A press sorts, one with Shift adds to the order. */
export const HeaderRow = memo(function HeaderRow({
  model,
  columns,
  view,
  change,
  shown,
  allSelected,
  onSelectAll,
  onAim,
}: Props) {
  return (
    <div role="rowgroup" className="thead" style={{ width: model.width }}>
      <div className="trow groups" aria-hidden="true">
        <div className="cell first" style={{ width: model.nameWidth }} />
        {columns.map((place) => (
          <div
            key={place.id}
            className={`cell ${place.first ? "gl" : ""} ${place.frozen ? "frozen" : ""}`}
            style={place.style}
          >
            {place.first && groupLabel(place.column)}
          </div>
        ))}
      </div>
      <div role="row" aria-rowindex={1} className="trow heads">
        <div
          role="columnheader"
          aria-sort={ariaSort(view, NAME_COLUMN)}
          aria-colindex={1}
          className="cell first"
          style={{ width: model.nameWidth }}
        >
          <Check state={allSelected} label="Select all matching runs" onToggle={onSelectAll} />
          <button
            type="button"
            className="head-name"
            onClick={(event) => change(sortBy(view, NAME_COLUMN, event.shiftKey))}
          >
            Name <Arrow view={view} column={NAME_COLUMN} />
          </button>
          <Resizer
            width={model.nameWidth}
            onWidth={(width) =>
              change(
                {
                  widths: {
                    ...view.widths,
                    name: Math.max(120, width - (model.nameWidth - (view.widths.name ?? NAME_WIDTH - 36))),
                  },
                },
                { replace: true },
              )
            }
          />
        </div>
        {columns.map((place) => (
          <Head key={place.id} place={place} view={view} change={change} shown={shown} model={model} onAim={onAim} />
        ))}
      </div>
    </div>
  );
});

function Head({
  place,
  view,
  change,
  shown,
  model,
  onAim,
}: Pick<Props, "view" | "change" | "shown" | "model" | "onAim"> & { place: PlacedColumn }) {
  const { column } = place;
  const aiming = useRef(0);
  const [over, setOver] = useState(false);
  const sorted = view.sort.some((sort) => columnId(sort.column) === place.id);
  const drop = (event: React.DragEvent) => {
    event.preventDefault();
    setOver(false);
    const moved = event.dataTransfer.getData("text/x-stele-column");
    const from = shown.findIndex((one) => columnId(one) === moved);
    if (from < 0 || moved === place.id) return;
    const next = shown.filter((one) => columnId(one) !== moved);
    next.splice(place.index, 0, shown[from]!);
    change({ columns: next });
  };
  const classes = [place.classes, sorted && "sorted", over && "over"];
  const special = column.aggregate && column.aggregate !== "last" ? column.aggregate : "";
  const aggregate = special === "curve" ? "" : special;
  return (
    <div
      role="columnheader"
      aria-colindex={place.index + 2}
      aria-sort={ariaSort(view, column)}
      className={classes.filter(Boolean).join(" ")}
      style={place.style}
      draggable
      onDragStart={(event) => event.dataTransfer.setData("text/x-stele-column", place.id)}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      <button
        type="button"
        className="head-name"
        title={column.key}
        onPointerEnter={() => {
          if (canSort(column)) aiming.current = window.setTimeout(() => onAim(sortBy(view, column, false).sort), AIM);
        }}
        onPointerLeave={() => window.clearTimeout(aiming.current)}
        onClick={(event) => canSort(column) && change(sortBy(view, column, event.shiftKey))}
      >
        <Arrow view={view} column={column} /> <span className="ell">{columnLabel(column)}</span>
        {aggregate && <span className="dim">{aggregate}</span>}
        {model.baseline && column.kind === "metric" && column.aggregate !== "curve" && (
          <span className="delta-head">Δ base</span>
        )}
      </button>
      <Menu label={`Column ${columnLabel(column)} ${special}`.trim()} items={columnMenu(column, view, shown, change)} />
      <Resizer
        width={place.width}
        onWidth={(width) =>
          change({ widths: { ...view.widths, [place.id]: Math.max(MIN_WIDTH, width) } }, { replace: true })
        }
      />
    </div>
  );
}

function Arrow({ view, column }: { view: RunsView; column: ColumnRef }) {
  const at = view.sort.findIndex((sort) => columnId(sort.column) === columnId(column));
  if (at < 0) return null;
  return (
    <span className="arrow">
      {view.sort[at]!.descending ? "↓" : "↑"}
      {view.sort.length > 1 && <sub>{at + 1}</sub>}
    </span>
  );
}

function ariaSort(view: RunsView, column: ColumnRef): "ascending" | "descending" | undefined {
  const sort = view.sort.find((one) => columnId(one.column) === columnId(column));
  return sort ? (sort.descending ? "descending" : "ascending") : undefined;
}

/** The grip at the right edge of a head. */
function Resizer({ width, onWidth }: { width: number; onWidth: (width: number) => void }) {
  const start = useRef<{ x: number; width: number } | null>(null);
  return (
    <span
      className="resizer"
      aria-hidden="true"
      // The column is dragged by what is under the pointer when the drag begins, and by then the grip has moved on.
      onMouseDown={(event) => event.preventDefault()}
      onPointerDown={(event) => {
        event.stopPropagation();
        event.currentTarget.setPointerCapture(event.pointerId);
        start.current = { x: event.clientX, width };
      }}
      onPointerMove={(event) => {
        if (start.current) onWidth(Math.round(start.current.width + event.clientX - start.current.x));
      }}
      onPointerUp={() => {
        start.current = null;
      }}
    />
  );
}
