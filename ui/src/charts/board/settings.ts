/** What the charts of a view are set to. It stands in the address with the rest of the view, in short names. */

import { columnId, parseColumn, type ColumnRef } from "../../runs/view";
import type { XAxis } from "../data/series";
import type { Smoothing } from "../math/smoothing";

export const KINDS = ["line", "scatter", "parallel", "contour", "bar", "box", "histogram", "importance"] as const;
export type ChartKind = (typeof KINDS)[number];
export type Width = 1 | 2 | 3;

/** A chart that a person has added. Which column stands for what depends on the kind. */
export interface AddedChart {
  id: string;
  kind: ChartKind;
  columns: ColumnRef[];
  section: string;
  title: string;
}

/** What one chart does otherwise than the tool bar says. */
export interface ChartOptions {
  logY?: boolean;
  clip?: boolean;
  mean?: boolean;
  width?: Width;
}

export interface ChartSettings {
  smooth: Smoothing;
  /** From 0 to 0.99. */
  weight: number;
  x: XAxis;
  logX: boolean;
  logY: boolean;
  clip: boolean;
  search: string;
  /** Groups as their mean with a band instead of run by run. */
  mean: boolean;
  /** The part of x that all curves show; null for everything. */
  range: [number, number] | null;
  /** How many runs of the table's order are drawn. */
  show: number;
  /** Runs that are drawn wherever they stand in the order. */
  shown: string[];
  pinned: string[];
  added: AddedChart[];
  options: Record<string, ChartOptions>;
  /** Charts by section, where a person has put them in an order. */
  order: Record<string, string[]>;
  /** Sections of charts that were moved out of their own. */
  home: Record<string, string>;
  /** Sections in the order that a person gave them, with those that hold nothing yet. */
  sections: string[];
  /** What a section is called, where a person has named it otherwise. */
  named: Record<string, string>;
  closed: string[];
  removed: string[];
}

export const FEW = 12;
/** More curves than this are not drawn in one chart; the server takes no more runs in one request either. */
export const MOST = 500;

export const DEFAULTS: ChartSettings = {
  smooth: "off",
  weight: 0.6,
  x: "step",
  logX: false,
  logY: false,
  clip: false,
  search: "",
  mean: false,
  range: null,
  show: FEW,
  shown: [],
  pinned: [],
  added: [],
  options: {},
  order: {},
  home: {},
  sections: [],
  named: {},
  closed: [],
  removed: [],
};

type Stored = Record<string, unknown>;

const texts = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((one): one is string => typeof one === "string") : [];
const fields = (value: unknown): Stored =>
  value !== null && typeof value === "object" && !Array.isArray(value) ? (value as Stored) : {};
const oneOf = <T extends string>(value: unknown, allowed: readonly T[], usual: T): T =>
  allowed.includes(value as T) ? (value as T) : usual;
const between = (value: unknown, low: number, high: number, usual: number): number =>
  typeof value === "number" && value >= low && value <= high ? value : usual;

function addedChart(value: unknown): AddedChart[] {
  const { id, k, c, s, t } = fields(value);
  if (typeof id !== "string" || !KINDS.includes(k as ChartKind)) return [];
  const columns = texts(c).flatMap((text) => parseColumn(text) ?? []);
  return [{ id, kind: k as ChartKind, columns, section: String(s ?? ""), title: String(t ?? "") }];
}

function options(value: unknown): ChartOptions {
  const { y, c, m, w } = fields(value);
  return {
    ...(typeof y === "boolean" && { logY: y }),
    ...(typeof c === "boolean" && { clip: c }),
    ...(typeof m === "boolean" && { mean: m }),
    ...((w === 1 || w === 2 || w === 3) && { width: w }),
  };
}

const mapped = <T>(value: unknown, read: (one: unknown) => T): Record<string, T> =>
  Object.fromEntries(Object.entries(fields(value)).map(([name, one]) => [name, read(one)]));

function range(value: unknown): [number, number] | null {
  const [low, high] = Array.isArray(value) ? (value as unknown[]) : [];
  return typeof low === "number" && typeof high === "number" && low < high ? [low, high] : null;
}

/** Reads settings from a view; what makes no sense becomes the default. */
export function parseSettings(stored: Stored): ChartSettings {
  return {
    smooth: oneOf(stored.sm, ["off", "ema", "gauss"], DEFAULTS.smooth),
    weight: between(stored.w, 0, 0.99, DEFAULTS.weight),
    x: oneOf(stored.x, ["step", "time", "relative"], DEFAULTS.x),
    logX: stored.lx === true,
    logY: stored.ly === true,
    clip: stored.cl === true,
    search: typeof stored.q === "string" ? stored.q : "",
    mean: stored.m === true,
    range: range(stored.r),
    show: Math.floor(between(stored.n, 1, MOST, DEFAULTS.show)),
    shown: texts(stored.sh),
    pinned: texts(stored.p),
    added: Array.isArray(stored.a) ? stored.a.flatMap(addedChart) : [],
    options: mapped(stored.o, options),
    order: mapped(stored.or, texts),
    home: mapped(stored.h, String),
    sections: texts(stored.s),
    named: mapped(stored.sn, String),
    closed: texts(stored.c),
    removed: texts(stored.rm),
  };
}

/** The inverse of {@link parseSettings}, without what stands at its default. */
export function formatSettings(settings: ChartSettings): Stored {
  const all: Stored = {
    sm: differing(settings.smooth, DEFAULTS.smooth),
    w: differing(settings.weight, DEFAULTS.weight),
    x: differing(settings.x, DEFAULTS.x),
    lx: settings.logX || undefined,
    ly: settings.logY || undefined,
    cl: settings.clip || undefined,
    q: settings.search || undefined,
    m: settings.mean || undefined,
    r: settings.range ?? undefined,
    n: differing(settings.show, DEFAULTS.show),
    sh: filled(settings.shown),
    p: filled(settings.pinned),
    a: filled(settings.added.map(storedChart)),
    o: filled(mapped(settings.options, storedOptions)),
    or: filled(settings.order),
    h: filled(settings.home),
    s: filled(settings.sections),
    sn: filled(settings.named),
    c: filled(settings.closed),
    rm: filled(settings.removed),
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

const differing = <T>(value: T, usual: T): T | undefined => (value === usual ? undefined : value);
const filled = <T extends object>(value: T): T | undefined => (Object.keys(value).length === 0 ? undefined : value);

const storedChart = ({ id, kind, columns, section, title }: AddedChart): Stored => ({
  id,
  k: kind,
  c: columns.map(columnId),
  ...(section && { s: section }),
  ...(title && { t: title }),
});

function storedOptions(value: unknown): Stored {
  const { logY, clip, mean, width } = value as ChartOptions;
  const all: Stored = { y: logY, c: clip, m: mean, w: width };
  return Object.fromEntries(Object.entries(all).filter(([, one]) => one !== undefined));
}
