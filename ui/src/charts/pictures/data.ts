/** What pictures are made of, and which columns they show when nobody chose. */

import { count } from "../../format/figures";
import type { ColumnRef } from "../../runs/view";
import type { Cell } from "../data/runs";
import { placesOf, type AxisColumn } from "../math/columns";
import { spearman } from "../math/ranks";

/** Runs of a view with the columns that a picture shows. */
export interface PictureData {
  runIds: readonly string[];
  names: readonly string[];
  refs: readonly ColumnRef[];
  columns: readonly AxisColumn[];
  cells: readonly (readonly Cell[])[];
  /** How many runs there are; more than are here only beyond what the server gives at once. */
  matched: number;
}

/** `1,284 runs`, or how many of them have what is drawn. */
export const runsNote = (drawn: number, all: number): string =>
  drawn === all ? `${count(all)} runs` : `${count(drawn)} of ${count(all)} runs`;

const STRONGEST = 4;

/**
 * Of columns that nobody chose, those that go with the last one most. One value everywhere goes with nothing, and what
 * few runs have comes after what most of them have.
 */
export function strongest(data: PictureData): PictureData {
  const last = data.columns.length - 1;
  const target = [...placesOf(data.columns[last]!)];
  const judged = target.filter((place) => !Number.isNaN(place)).length;
  const found = data.columns.slice(0, last).flatMap((column, i) => {
    const places = [...placesOf(column)];
    const both = places.filter((place, row) => !Number.isNaN(place) && !Number.isNaN(target[row]!)).length;
    const rho = Math.abs(spearman(places, target) ?? 0);
    return rho > 0 ? [{ i, rho, common: both >= judged / 2 }] : [];
  });
  found.sort((a, b) => Number(b.common) - Number(a.common) || b.rho - a.rho);
  const kept = [...found.slice(0, STRONGEST).map(({ i }) => i), last];
  const pick = <T>(items: readonly T[]) => kept.map((i) => items[i]!);
  return { ...data, refs: pick(data.refs), columns: pick(data.columns), cells: pick(data.cells) };
}
