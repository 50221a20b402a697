import type { MenuItem } from "../kit/Popover";
import { canSort } from "./sorting";
import { columnId, type ColumnRef, type RunsView } from "./view";

type Change = (part: Partial<RunsView>) => void;

const OTHERS = ["last", "min", "max", "mean", "curve"] as const;
const NAMES = { last: "Last value", min: "Least value", max: "Greatest value", mean: "Mean", curve: "Curve" };

/** What can be done with a column. */
export function columnMenu(
  column: ColumnRef,
  view: RunsView,
  shown: readonly ColumnRef[],
  change: Change,
): (MenuItem | null)[] {
  const id = columnId(column);
  const at = shown.findIndex((one) => columnId(one) === id);
  const move = (step: number) => {
    const next = [...shown];
    [next[at], next[at + step]] = [next[at + step]!, next[at]!];
    change({ columns: next });
  };
  const replace = (other: ColumnRef[]) =>
    change({ columns: shown.flatMap((one) => (columnId(one) === id ? other : [one])) });
  return [
    {
      text: "Sort up",
      icon: "sort",
      disabled: !canSort(column) && "There is no order by this column",
      onChoose: () => change({ sort: [{ column, descending: false }] }),
    },
    {
      text: "Sort down",
      icon: "sort",
      disabled: !canSort(column) && "There is no order by this column",
      onChoose: () => change({ sort: [{ column, descending: true }] }),
    },
    null,
    { text: "Move left", disabled: at <= 0 && "It is the first column", onChoose: () => move(-1) },
    { text: "Move right", disabled: at >= shown.length - 1 && "It is the last column", onChoose: () => move(1) },
    at < view.frozen
      ? { text: "Let it scroll", icon: "pin", onChoose: () => change({ frozen: at }) }
      : { text: "Keep in sight up to here", icon: "pin", onChoose: () => change({ frozen: at + 1 }) },
    { text: "Hide", icon: "eyeoff", onChoose: () => replace([]) },
    ...(column.kind === "metric" ? [null, ...metricItems(column, view, change, replace)] : []),
    ...(column.kind === "param" || column.kind === "tag"
      ? [
          null,
          {
            text: "Group by this",
            icon: "group" as const,
            onChoose: () => change({ group: [...view.group.filter((one) => columnId(one) !== id), column] }),
          },
        ]
      : []),
  ];
}

function metricItems(
  column: ColumnRef,
  view: RunsView,
  change: Change,
  replace: (other: ColumnRef[]) => void,
): MenuItem[] {
  const id = columnId(column);
  const heated = view.heat.includes(id);
  const others = OTHERS.filter((aggregate) => aggregate !== (column.aggregate ?? "last"));
  return [
    {
      text: heated ? "No heat" : "Shade by value",
      icon: "chart",
      onChoose: () => change({ heat: heated ? view.heat.filter((one) => one !== id) : [...view.heat, id] }),
    },
    ...others.map((aggregate): MenuItem => ({
      text: `Add: ${NAMES[aggregate].toLowerCase()}`,
      icon: "plus",
      onChoose: () => replace([column, { kind: "metric", key: column.key, aggregate }]),
    })),
  ];
}
