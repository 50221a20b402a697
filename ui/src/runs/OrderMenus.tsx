import { memo } from "react";
import { Button } from "../kit/controls";
import { Popover } from "../kit/Popover";
import { columnLabel, type RunKey } from "./columns";
import { columnId, type ColumnRef, type RunsView } from "./view";

interface Props {
  view: RunsView;
  shown: readonly ColumnRef[];
  keys: readonly RunKey[];
  change: (part: Partial<RunsView>) => void;
}

/** The order of the rows: each column of it with its direction. */
export const SortMenu = memo(function SortMenu({ view, shown, change }: Props) {
  const first = view.sort[0];
  const candidates = shown.filter(
    (column) => column.aggregate !== "curve" && !view.sort.some((sort) => columnId(sort.column) === columnId(column)),
  );
  return (
    <Popover
      label="Sort"
      align="end"
      width={300}
      trigger={(props) => (
        <Button {...props} icon="sort" on={first ? true : undefined}>
          {first ? (
            <>
              {columnLabel(first.column)} {first.descending ? "↓" : "↑"}
            </>
          ) : (
            <span className="wide-only">Sort</span>
          )}
          {view.sort.length > 1 && <span className="more-n">+{view.sort.length - 1}</span>}
        </Button>
      )}
    >
      {() => (
        <div className="list-menu">
          {view.sort.map((sort, i) => (
            <div key={columnId(sort.column)} className="o">
              <span className="dim">{i === 0 ? "By" : "then"}</span>
              <span className="mono ell grow">{columnLabel(sort.column)}</span>
              <Button
                small
                onClick={() =>
                  change({
                    sort: view.sort.map((one) => (one === sort ? { ...one, descending: !one.descending } : one)),
                  })
                }
              >
                {sort.descending ? "Down" : "Up"}
              </Button>
              <Button
                small
                kind="ghost"
                icon="up"
                title="Earlier"
                disabled={i === 0}
                onClick={() => change({ sort: swapped(view.sort, i) })}
              />
              <Button
                small
                kind="ghost"
                icon="x"
                title="Remove"
                onClick={() => change({ sort: view.sort.filter((one) => one !== sort) })}
              />
            </div>
          ))}
          {view.sort.length === 0 && <p className="dim">Newest first.</p>}
          <label className="field">
            <select
              value=""
              aria-label="Add a column to the order"
              onChange={(event) => {
                const column = candidates.find((one) => columnId(one) === event.target.value);
                if (column) change({ sort: [...view.sort, { column, descending: column.kind === "metric" }] });
              }}
            >
              <option value="">Add a column…</option>
              {candidates.map((column) => (
                <option key={columnId(column)} value={columnId(column)}>
                  {columnLabel(column)}
                </option>
              ))}
            </select>
          </label>
        </div>
      )}
    </Popover>
  );
});

function swapped<T>(list: readonly T[], at: number): T[] {
  const next = [...list];
  [next[at - 1], next[at]] = [next[at]!, next[at - 1]!];
  return next;
}

/** Params and tags whose equal values make groups; and the tree of nested runs. */
export const GroupMenu = memo(function GroupMenu({ view, keys, change }: Props) {
  const on = view.group.length > 0 || view.tree;
  const candidates = keys.filter(
    (key) => key.kind !== "metric" && !view.group.some((one) => one.kind === key.kind && one.key === key.name),
  );
  return (
    <Popover
      label="Group"
      align="end"
      width={300}
      trigger={(props) => (
        <Button {...props} icon="group" on={on || undefined}>
          {view.group.length > 0 ? (
            view.group.map(columnLabel).join(", ")
          ) : view.tree ? (
            "Nested"
          ) : (
            <span className="wide-only">Group</span>
          )}
        </Button>
      )}
    >
      {() => (
        <div className="list-menu">
          <Button on={view.tree} onClick={() => change({ tree: !view.tree, group: [] })}>
            Nested runs as a tree
          </Button>
          {view.group.map((column) => (
            <div key={columnId(column)} className="o">
              <span className="mono ell grow">{columnLabel(column)}</span>
              <Button
                small
                kind="ghost"
                icon="x"
                title="Remove"
                onClick={() => change({ group: view.group.filter((one) => one !== column) })}
              />
            </div>
          ))}
          {view.group.length < 4 && (
            <label className="field">
              <select
                value=""
                aria-label="Group by"
                onChange={(event) => {
                  const key = candidates[Number(event.target.value)];
                  if (key) change({ group: [...view.group, { kind: key.kind, key: key.name }], tree: false });
                }}
              >
                <option value="">Group by…</option>
                {candidates.map((key, i) => (
                  <option key={`${key.kind}:${key.name}`} value={i}>
                    {key.name}
                  </option>
                ))}
              </select>
            </label>
          )}
        </div>
      )}
    </Popover>
  );
});
