import { count, metric, MISSING, toNumber } from "../format/figures";
import { Icon } from "../kit/Icon";
import { columnLabel } from "./columns";
import type { HeaderSegment } from "./segments";
import type { PlacedColumn, TableModel } from "./tableModel";
import type { ColumnRef } from "./view";

/** The head of a group: its values, how many runs, and the mean of each metric; the extremes on hover. */
export function GroupRow({
  id,
  segment,
  by,
  model,
  columns,
  top,
  index,
  current,
  onFold,
}: {
  id: string;
  segment: HeaderSegment;
  by: readonly ColumnRef[];
  model: TableModel;
  columns: PlacedColumn[];
  top: number;
  index: number;
  current: boolean;
  onFold: (group: string) => void;
}) {
  const { group, folded } = segment;
  const figures = model.columns
    .filter(({ column }) => column.kind === "metric" && column.aggregate !== "curve")
    .map(({ id: column }) => column);
  return (
    <div
      id={id}
      role="row"
      aria-rowindex={index + 2}
      aria-expanded={!folded}
      className={`trow group ${current ? "cur" : ""}`}
      style={{ top, width: model.width }}
    >
      <div role="gridcell" className="cell first" style={{ width: Math.max(model.nameWidth, 420) }}>
        <button
          type="button"
          tabIndex={-1}
          className="fold wide"
          onClick={() => onFold(segment.id)}
          title={folded ? "Unfold" : "Fold"}
        >
          <Icon name={folded ? "right" : "down"} size={12} />
          <code>{by.map((column, i) => `${columnLabel(column)} = ${group.key[i] ?? MISSING}`).join(", ")}</code>
          <span className="n">{count(group.count)}</span>
        </button>
      </div>
      {columns.map((place) => {
        const figure = group.aggregates[figures.indexOf(place.id)];
        if (!figure) return null;
        const mean = toNumber(figure.mean);
        const [low, high] = [toNumber(figure.min), toNumber(figure.max)];
        const title = `Mean of ${count(figure.count)}; ${low === null ? MISSING : metric(low, place.decimals)} to ${high === null ? MISSING : metric(high, place.decimals)}`;
        return (
          <div key={place.id} role="gridcell" className={place.classes} style={place.style} title={title}>
            {mean === null ? MISSING : metric(mean, place.decimals || 4)}
            {model.baseline && <span className="delta" />}
          </div>
        );
      })}
    </div>
  );
}
