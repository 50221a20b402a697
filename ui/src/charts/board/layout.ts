/** Which charts there are, in which sections and rows, and how a person changes that. */

import { columnId, type ColumnRef } from "../../runs/view";
import { matcher, sectionsOf } from "../math/keys";
import type { AddedChart, ChartKind, ChartSettings, Width } from "./settings";

export interface Chart {
  id: string;
  kind: ChartKind;
  title: string;
  columns: ColumnRef[];
  /** Whether a person made it, who can also edit it. */
  own: boolean;
}

export interface Section {
  /** What it is known by: the prefix of its metrics, or the name that it was added with. */
  name: string;
  title: string;
  charts: Chart[];
  open: boolean;
  /** The pinned section is a second place for charts, not their own. */
  pinned: boolean;
}

export const PINNED = "Pinned";
const OWN_SECTION = "Charts";

const lineId = (key: string): string => columnId({ kind: "metric", key });

const lineOf = (key: string): Chart => ({
  id: lineId(key),
  kind: "line",
  title: key,
  columns: [{ kind: "metric", key }],
  own: false,
});

export function chartOf(added: AddedChart, own: boolean): Chart {
  return { id: added.id, kind: added.kind, title: added.title || titleOf(added), columns: added.columns, own };
}

/** What a chart is called when nobody named it. */
export function titleOf({ kind, columns }: Pick<AddedChart, "kind" | "columns">): string {
  const keys = columns.map(({ key }) => key);
  switch (kind) {
    case "parallel":
      return keys.join(" → ");
    case "scatter":
    case "contour":
      return [keys.slice(0, 2).join(" × "), ...keys.slice(2)].join(" → ");
    case "box":
      return keys.length > 1 ? `${keys[0]} by ${keys[1]}` : (keys[0] ?? "Box");
    case "importance":
      return `What matters for ${keys[0] ?? "a metric"}`;
    default:
      return keys.join(", ") || kind;
  }
}

/** Sections with the charts that the search leaves, the pinned ones first. */
export function layoutOf(
  keys: readonly string[],
  settings: ChartSettings,
  suggested: readonly AddedChart[] = [],
): Section[] {
  const { matches } = matcher(settings.search);
  const removed = new Set(settings.removed);
  const added = [...settings.added, ...suggested.filter(({ id }) => !settings.added.some((one) => one.id === id))];
  const all = new Map<string, Chart>();
  const places = new Map<string, string[]>();
  const place = (chart: Chart, usual: string) => {
    if (removed.has(chart.id)) return;
    all.set(chart.id, chart);
    const section = settings.home[chart.id] ?? usual;
    places.set(section, [...(places.get(section) ?? []), chart.id]);
  };
  for (const name of settings.sections) places.set(name, []);
  const mine = new Set(settings.added.map(({ id }) => id));
  for (const one of added) place(chartOf(one, mine.has(one.id)), one.section || OWN_SECTION);
  const ordered = sectionsOf(keys);
  const automatic: Chart[][] = ordered.map(({ keys: held }) => held.map(lineOf));
  ordered.forEach(({ name }) => places.has(name) || places.set(name, []));
  // Thousands of keys: a section's list is filled in place, not copied for each chart.
  automatic.forEach((charts, i) => {
    const own = places.get(ordered[i]!.name)!;
    for (const chart of charts) {
      if (removed.has(chart.id)) continue;
      all.set(chart.id, chart);
      const home = settings.home[chart.id];
      if (home === undefined) own.push(chart.id);
      else if (places.has(home)) places.get(home)!.push(chart.id);
      else places.set(home, [chart.id]);
    }
  });
  const shown = (ids: readonly string[]): Chart[] =>
    ids.flatMap((id) => {
      const chart = all.get(id);
      return chart && matches(chart.title) ? [chart] : [];
    });
  const names = inOrder([...places.keys()], settings.sections);
  const sections = names
    .filter((name) => !removed.has(sectionId(name)))
    .map((name) => ({
      name,
      title: settings.named[name] ?? name,
      charts: shown(inOrder(places.get(name)!, settings.order[name] ?? [])),
      open: !settings.closed.includes(name),
      pinned: false,
    }))
    .filter(({ name, charts }) => charts.length > 0 || (settings.search === "" && settings.sections.includes(name)));
  const pinned = shown(settings.pinned);
  if (pinned.length === 0) return sections;
  return [
    { name: PINNED, title: PINNED, charts: pinned, open: !settings.closed.includes(PINNED), pinned: true },
    ...sections,
  ];
}

/** The wanted ones first, in their order; then the others as they came. */
function inOrder(items: readonly string[], wanted: readonly string[]): string[] {
  if (wanted.length === 0) return [...items];
  const there = new Set(items);
  const first = wanted.filter((item) => there.has(item));
  const placed = new Set(first);
  return [...first, ...items.filter((item) => !placed.has(item))];
}

/** How a removed section is noted beside removed charts. */
export const sectionId = (name: string): string => `section ${name}`;

/** Charts in rows of so many columns; one that is wider than what is left begins a row. */
export function rowsOf(charts: readonly Chart[], widthOf: (chart: Chart) => Width, columns: number): Chart[][] {
  const rows: Chart[][] = [];
  let left = 0;
  for (const chart of charts) {
    const width = Math.min(widthOf(chart), columns);
    if (width > left) {
      rows.push([]);
      left = columns;
    }
    rows[rows.length - 1]!.push(chart);
    left -= width;
  }
  return rows;
}

/** How wide a chart is unless a person said so. */
export const usualWidth = (kind: ChartKind): Width => (kind === "parallel" ? 2 : 1);

/** Moves a chart before another one of a section (to its end without one), out of its own section if need be. */
export function moveChart(
  sections: readonly Section[],
  settings: ChartSettings,
  id: string,
  to: { section: string; before: string | null },
): Partial<ChartSettings> {
  const target = sections.find(({ name }) => name === to.section);
  const ids = (target?.charts ?? []).map((chart) => chart.id).filter((one) => one !== id);
  const at = to.before === null ? ids.length : Math.max(0, ids.indexOf(to.before));
  ids.splice(at, 0, id);
  if (target?.pinned) return { pinned: ids };
  return { order: { ...settings.order, [to.section]: ids }, home: { ...settings.home, [id]: to.section } };
}

/** Moves a chart by so many places within its section. */
export function stepChart(
  sections: readonly Section[],
  settings: ChartSettings,
  id: string,
  section: string,
  by: number,
): Partial<ChartSettings> {
  const ids = sections.find(({ name }) => name === section)?.charts.map((chart) => chart.id) ?? [];
  const at = ids.indexOf(id);
  const to = Math.max(0, Math.min(ids.length - 1, at + by));
  if (at < 0 || at === to) return {};
  ids.splice(at, 1);
  ids.splice(to, 0, id);
  return section === PINNED ? { pinned: ids } : { order: { ...settings.order, [section]: ids } };
}

const namesOf = (sections: readonly Section[]): string[] =>
  sections.flatMap(({ name, pinned }) => (pinned ? [] : [name]));

/** Moves a section by so many places. */
export function stepSection(sections: readonly Section[], name: string, by: number): Partial<ChartSettings> {
  const names = namesOf(sections);
  const at = names.indexOf(name);
  const to = names[Math.max(0, Math.min(names.length - 1, at + by))]!;
  return moveSection(sections, name, to);
}

/** Puts a section where another one stands, which gives way towards where it came from. */
export function moveSection(sections: readonly Section[], name: string, to: string): Partial<ChartSettings> {
  const names = namesOf(sections);
  const at = names.indexOf(to);
  names.splice(names.indexOf(name), 1);
  names.splice(at, 0, name);
  return { sections: names };
}

/** Adds a section without charts, above all others; one that was removed comes back. */
export const addSection = (
  sections: readonly Section[],
  settings: ChartSettings,
  name: string,
): Partial<ChartSettings> => ({
  sections: [name, ...namesOf(sections).filter((one) => one !== name)],
  removed: settings.removed.filter((one) => one !== sectionId(name)),
});

/** Calls a section otherwise. Its metrics keep their place in it, those that are yet to come as well. */
export function renameSection(settings: ChartSettings, name: string, title: string): Partial<ChartSettings> {
  const { [name]: _, ...others } = settings.named;
  return { named: title === name ? others : { ...others, [name]: title } };
}

/** Takes a chart off the page: a person's own is forgotten, another one is kept from coming back. */
export function removeChart(settings: ChartSettings, chart: Chart): Partial<ChartSettings> {
  const pinned = settings.pinned.filter((id) => id !== chart.id);
  const mine = settings.added.some(({ id }) => id === chart.id);
  return mine
    ? { pinned, added: settings.added.filter(({ id }) => id !== chart.id) }
    : { pinned, removed: [...settings.removed, chart.id] };
}
