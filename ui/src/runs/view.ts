/**
 * What a view of an experiment's runs shows. All of it stands in the address, so that a link, the back button and a
 * saved view each bring back the same page. Whatever stands at its default is left out.
 */

export type Kind = "metric" | "param" | "tag" | "attribute";
export type Aggregate = "last" | "min" | "max" | "mean" | "first" | "count";

/** A column: an attribute (`status`, `start_time`, ...), or a metric, param or tag by its key. */
export interface ColumnRef {
  kind: Kind;
  key: string;
  /** Of a metric's series; the last value unless said. `curve` is the series itself, drawn small. */
  aggregate?: Aggregate | "curve";
}

export interface Sort {
  column: ColumnRef;
  descending: boolean;
}

export interface RunsView {
  filter: string;
  sort: Sort[];
  /** Shown columns in their order; null for the ones that the page chooses. */
  columns: ColumnRef[] | null;
  /** How many of the columns stay beside the name when the table scrolls sideways. */
  frozen: number;
  widths: Record<string, number>;
  group: ColumnRef[];
  tree: boolean;
  onlyDiffering: boolean;
  heat: string[];
  archived: "exclude" | "include" | "only";
  deleted: boolean;
  /** Run ids. */
  pinned: string[];
  baseline: string;
  hidden: string[];
  /** What the charts tab adds; its own module reads it. */
  charts: Record<string, unknown>;
}

export const DEFAULT_VIEW: RunsView = {
  filter: "",
  sort: [],
  columns: null,
  frozen: 0,
  widths: {},
  group: [],
  tree: false,
  onlyDiffering: false,
  heat: [],
  archived: "exclude",
  deleted: false,
  pinned: [],
  baseline: "",
  hidden: [],
  charts: {},
};

const SHORT = { metric: "m", param: "p", tag: "t", attribute: "a" } as const;
const LONG = { m: "metric", p: "param", t: "tag", a: "attribute" } as const;
const AGGREGATES: readonly string[] = ["last", "min", "max", "mean", "first", "count", "curve"];

/** `m:val/loss`, `m.min:val/loss`, `p:lr`: how columns stand in addresses and saved views; also their identity. */
export function columnId(column: ColumnRef): string {
  const aggregate = column.aggregate && column.aggregate !== "last" ? `.${column.aggregate}` : "";
  return `${SHORT[column.kind]}${aggregate}:${column.key}`;
}

/** The inverse of {@link columnId}; null for what is none. */
export function parseColumn(text: unknown): ColumnRef | null {
  const match = typeof text === "string" ? /^([mpta])(?:\.(\w+))?:([^]+)$/.exec(text) : null;
  if (!match) return null;
  const [, short, aggregate, key] = match;
  const column: ColumnRef = { kind: LONG[short as keyof typeof LONG], key: key! };
  if (aggregate === undefined) return column;
  return AGGREGATES.includes(aggregate) && column.kind === "metric"
    ? { ...column, aggregate: aggregate as ColumnRef["aggregate"] }
    : null;
}

/** The name of a field in filters and orders, quoted where it must be. */
export function fieldName(column: ColumnRef): string {
  if (column.kind === "attribute") return `attributes.${column.key}`;
  const key = /^[A-Za-z_][\w]*(\.[\w]+)*$/.test(column.key) ? column.key : quoted(column.key);
  const name = `${column.kind}s.${key}`;
  return column.aggregate && column.aggregate !== "last" ? `${column.aggregate}(${name})` : name;
}

const quoted = (key: string): string => (key.includes("`") ? `"${key}"` : `\`${key}\``);

/** Orders as the server takes them. */
export function orderBy(sort: readonly Sort[]): string[] {
  return sort.map(({ column, descending }) => `${fieldName(column)} ${descending ? "DESC" : "ASC"}`);
}

const columns = (value: unknown): ColumnRef[] =>
  Array.isArray(value) ? value.map(parseColumn).filter((column) => column !== null) : [];
const texts = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((one): one is string => typeof one === "string") : [];
const record = (value: unknown): Record<string, unknown> =>
  value !== null && typeof value === "object" && !Array.isArray(value) ? (value as Record<string, unknown>) : {};

function sorts(value: unknown): Sort[] {
  return texts(value).flatMap((text) => {
    const column = parseColumn(text.replace(/^-/, ""));
    return column ? [{ column, descending: text.startsWith("-") }] : [];
  });
}

/** Reads a view from an address or from what was saved; what makes no sense becomes the default. */
export function parseView(search: Record<string, unknown>): RunsView {
  const widths = Object.entries(record(search.w)).filter(
    (entry): entry is [string, number] => typeof entry[1] === "number",
  );
  const archived = search.ar === "include" || search.ar === "only" ? search.ar : "exclude";
  return {
    filter: search.q === undefined ? "" : String(search.q),
    sort: sorts(search.s),
    columns: search.c === undefined ? null : columns(search.c),
    frozen: typeof search.fz === "number" ? search.fz : 0,
    widths: Object.fromEntries(widths),
    group: columns(search.g),
    tree: search.tree === true,
    onlyDiffering: search.diff === true,
    heat: texts(search.heat),
    archived,
    deleted: search.del === true,
    pinned: texts(search.pin),
    baseline: typeof search.base === "string" ? search.base : "",
    hidden: texts(search.hide),
    charts: record(search.ch),
  };
}

/** The inverse of {@link parseView}, without what stands at its default. */
export function formatView(view: RunsView): Record<string, unknown> {
  const all: Record<string, unknown> = {
    q: view.filter,
    s: view.sort.map(({ column, descending }) => (descending ? "-" : "") + columnId(column)),
    c: view.columns?.map(columnId) ?? undefined,
    fz: view.frozen || undefined,
    w: view.widths,
    g: view.group.map(columnId),
    tree: view.tree,
    diff: view.onlyDiffering,
    heat: view.heat,
    ar: view.archived === "exclude" ? undefined : view.archived,
    del: view.deleted,
    pin: view.pinned,
    base: view.baseline,
    hide: view.hidden,
    ch: view.charts,
  };
  return Object.fromEntries(
    Object.entries(all).filter(([name, value]) => (name === "c" ? value !== undefined : !isDefault(value))),
  );
}

const isDefault = (value: unknown): boolean =>
  value === undefined ||
  value === "" ||
  value === false ||
  (value !== null && typeof value === "object" && Object.keys(value).length === 0);
