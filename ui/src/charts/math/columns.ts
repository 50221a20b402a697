/** Columns of a table of runs as axes: numbers, or names in an order. */

import { MISSING, toNumber } from "../../format/figures";
import { inNaturalOrder } from "../../format/order";
import { ticksOf, tickTexts, type Span } from "./scales";

export interface NumberColumn {
  kind: "number";
  values: (number | null)[];
  extent: Span;
  /** Whether it spans so many powers of ten that only their logarithm can be told apart. */
  log: boolean;
}

export interface TextColumn {
  kind: "text";
  values: (string | null)[];
  levels: string[];
}

export type AxisColumn = NumberColumn | TextColumn;

const WIDE = 50;

/** What a column is: numbers when everything in it is one. What is not finite counts as missing. */
export function axisColumn(cells: readonly (number | string | null)[]): AxisColumn {
  const numbers = cells.map(toNumber);
  if (numbers.every((value, i) => value !== null || cells[i] === null)) {
    const values = numbers.map((value) => (value !== null && Number.isFinite(value) ? value : null));
    const finite = values.filter((value) => value !== null);
    const low = finite.reduce((a, b) => Math.min(a, b), Infinity);
    const high = finite.reduce((a, b) => Math.max(a, b), -Infinity);
    const extent: Span = low <= high ? [low, high] : [0, 1];
    return { kind: "number", values, extent, log: low > 0 && high / low >= WIDE };
  }
  const values = cells.map((cell) => (cell === null ? null : String(cell)));
  const levels = inNaturalOrder(new Set(values.filter((value) => value !== null)), (value) => value);
  return { kind: "text", values, levels };
}

function shareOf({ extent: [low, high], log }: NumberColumn, value: number): number {
  if (low === high) return 0.5;
  return log ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
}

/** Ticks with their places from 0 to 1. */
export function axisTicks(column: AxisColumn, count: number): { at: number; text: string }[] {
  if (column.kind === "text") {
    const stride = Math.ceil(column.levels.length / Math.max(2, count * 2));
    const last = Math.max(1, column.levels.length - 1);
    return column.levels
      .map((text, i) => ({ at: column.levels.length === 1 ? 0.5 : i / last, text }))
      .filter((_, i) => i % stride === 0);
  }
  const [low, high] = column.extent;
  const distinct = new Set(column.values).size - (column.values.includes(null) ? 1 : 0);
  const values =
    distinct <= count
      ? [...new Set(column.values)].filter((value) => value !== null).sort((a, b) => a - b)
      : ticksOf({ domain: [low, high], log: column.log }, count);
  const texts = tickTexts(values, column.log || distinct <= count);
  return values.map((value, i) => ({ at: shareOf(column, value), text: texts[i]! }));
}

/** The places of all rows at once; NaN for what is missing. */
export function placesOf(column: AxisColumn): Float64Array {
  if (column.kind === "number") {
    return Float64Array.from(column.values, (value) => (value === null ? NaN : shareOf(column, value)));
  }
  const last = column.levels.length - 1;
  const places = new Map(column.levels.map((level, i) => [level, last === 0 ? 0.5 : i / last]));
  return Float64Array.from(column.values, (value) => (value === null ? NaN : places.get(value)!));
}

/** The part of an axis that stands for "no value". */
const MISSING_SHARE = 0.14;

/**
 * An axis on which rows without a value have a place too, at its end below the values, where there are such rows. With
 * `strict` they have none.
 */
export function withMissing(
  column: AxisColumn,
  count: number,
  strict = false,
): { places: Float64Array; ticks: { at: number; text: string }[] } {
  const places = placesOf(column);
  const ticks = axisTicks(column, count);
  if (strict || !places.some(Number.isNaN)) return { places, ticks };
  const raised = (place: number) => MISSING_SHARE + (1 - MISSING_SHARE) * place;
  return {
    places: places.map((place) => (Number.isNaN(place) ? 0 : raised(place))),
    ticks: [{ at: 0, text: MISSING }, ...ticks.map(({ at, text }) => ({ at: raised(at), text }))],
  };
}

/** Which rows lie inside of every brush; brushes are spans of places by axis. */
export function brushedRows(places: readonly Float64Array[], brushes: readonly (Span | null)[]): boolean[] {
  return Array.from({ length: places[0]?.length ?? 0 }, (_, row) =>
    brushes.every((brush, axis) => {
      const place = places[axis]?.[row];
      return !brush || (place !== undefined && place >= brush[0] && place <= brush[1]);
    }),
  );
}

/** Columns as a forest takes them: names by their order, gaps in the middle. Null for what tells nothing. */
export function asFeature(column: AxisColumn, most = 50): Float64Array | null {
  if (column.kind === "text" && column.levels.length > most) return null;
  const places = placesOf(column);
  const known = [...places].filter((value) => !Number.isNaN(value)).sort((a, b) => a - b);
  if (known.length === 0 || known[0] === known[known.length - 1]) return null;
  const middle = known[known.length >> 1]!;
  return places.map((value) => (Number.isNaN(value) ? middle : value));
}
