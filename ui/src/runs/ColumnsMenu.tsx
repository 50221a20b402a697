import { memo, useState } from "react";
import { count } from "../format/figures";
import { Button, Check, Field } from "../kit/controls";
import { Popover } from "../kit/Popover";
import { ATTRIBUTES, columnLabel, type RunKey } from "./columns";
import { columnId, type ColumnRef, type RunsView } from "./view";

interface Props {
  keys: readonly RunKey[];
  shown: readonly ColumnRef[];
  change: (part: Partial<RunsView>) => void;
}

const MOST = 200;
const KINDS = [
  ["attribute", "Attributes"],
  ["param", "Params"],
  ["metric", "Metrics"],
  ["tag", "Tags"],
] as const;

/** Which columns the table has: everything that any run has, to be ticked; what is ticked, to be moved. */
export const ColumnsMenu = memo(function ColumnsMenu({ keys, shown, change }: Props) {
  const total = keys.length + ATTRIBUTES.length;
  return (
    <Popover
      label="Columns"
      align="end"
      width={340}
      trigger={(props) => (
        <Button {...props} icon="columns">
          <span className="wide-only">Columns</span>{" "}
          <span className="dim">
            {count(shown.length)}/{count(total)}
          </span>
        </Button>
      )}
    >
      {() => <Choices keys={keys} shown={shown} change={change} />}
    </Popover>
  );
});

function Choices({ keys, shown, change }: Props) {
  const [search, setSearch] = useState("");
  const ids = new Set(shown.map(columnId));
  const toggle = (column: ColumnRef) => {
    const id = columnId(column);
    change({ columns: ids.has(id) ? shown.filter((one) => columnId(one) !== id) : placed(shown, column) });
  };
  const matching = allColumns(keys).filter(({ column }) => column.key.toLowerCase().includes(search.toLowerCase()));
  return (
    <div className="columns-menu">
      <Field
        icon="search"
        label="Search columns"
        placeholder="Search columns"
        value={search}
        onChange={setSearch}
        autoFocus
      />
      <div className="list">
        {KINDS.map(([kind, title]) => {
          const some = matching.filter(({ column }) => column.kind === kind);
          if (some.length === 0) return null;
          return (
            <section key={kind} aria-label={title}>
              <h6>
                {title} <span className="n">{count(some.length)}</span>
              </h6>
              {some.slice(0, MOST).map(({ column, runs }) => (
                <label key={columnId(column)} className="o">
                  <Check
                    state={ids.has(columnId(column))}
                    label={columnLabel(column)}
                    onToggle={() => toggle(column)}
                  />
                  <button type="button" className="plain ell" onClick={() => toggle(column)}>
                    {columnLabel(column)}
                  </button>
                  <span className="dim">{runs === null ? "" : count(runs)}</span>
                </label>
              ))}
              {some.length > MOST && <p className="dim">{count(some.length - MOST)} more; the search finds them.</p>}
            </section>
          );
        })}
      </div>
      <footer>
        <Button kind="ghost" small onClick={() => change({ columns: null })}>
          Usual columns
        </Button>
        <Button kind="ghost" small onClick={() => change({ columns: [] })}>
          None
        </Button>
        <span className="grow" />
        <span className="dim">Drag heads to reorder</span>
      </footer>
    </div>
  );
}

function allColumns(keys: readonly RunKey[]): { column: ColumnRef; runs: number | null }[] {
  const attributes = ATTRIBUTES.map(([key]) => ({
    column: { kind: "attribute" as const, key: key as string },
    runs: null,
  }));
  return [...attributes, ...keys.map(({ kind, name, runs }) => ({ column: { kind, key: name }, runs }))];
}

/** Behind the last column of its kind, so that kinds stay together. */
function placed(shown: readonly ColumnRef[], column: ColumnRef): ColumnRef[] {
  const order = KINDS.map(([kind]) => kind as string);
  const at = shown.findLastIndex((one) => order.indexOf(one.kind) <= order.indexOf(column.kind));
  return [...shown.slice(0, at + 1), column, ...shown.slice(at + 1)];
}
