/** How two versions of a model differ in what they take, give and need. */

import type { Field } from "../run/artifacts/mlmodel";

export type Change = "added" | "removed" | "changed" | "same";

/** What a row has in this version and in the other one; one of the two may lack it. */
export interface Difference<T> {
  name: string;
  change: Change;
  mine: T | null;
  other: T | null;
}

/** Rows in the order of this version, and behind them what only the other one has. */
function differences<T>(
  mine: ReadonlyMap<string, T>,
  other: ReadonlyMap<string, T>,
  same: (a: T, b: T) => boolean,
): Difference<T>[] {
  return [...new Set([...mine.keys(), ...other.keys()])].map((name) => {
    const [a, b] = [mine.get(name) ?? null, other.get(name) ?? null];
    const change = b === null ? "added" : a === null ? "removed" : same(a, b) ? "same" : "changed";
    return { name, change, mine: a, other: b };
  });
}

/** Fields are the same by their name; those without one by their place. */
const byName = (fields: readonly Field[] | null): Map<string, Field> =>
  new Map((fields ?? []).map((field, i) => [field.name || `${i}`, field]));

const sameField = (a: Field, b: Field): boolean =>
  a.type === b.type && a.required === b.required && a.default === b.default;

export const fieldDifferences = (mine: Field[] | null, other: Field[] | null): Difference<Field>[] =>
  differences(byName(mine), byName(other), sameField).map((row) => ({ ...row, name: (row.mine ?? row.other)!.name }));

export interface Requirement {
  name: string;
  /** What is asked of it: `1.7.0`, `>=2`, an address, or nothing. */
  version: string;
}

/** Lines such as `numpy>=2` have the name and what is asked of it in one. */
function requirementOf([text, version]: readonly [string, string]): Requirement {
  const [, name = text, rest = ""] = /^([\w.-]+(?:\[[^\]]*\])?)\s*(.*)$/.exec(text) ?? [];
  return { name, version: version || rest };
}

/** Names of packages are the same in any case, and `-`, `_` and `.` are. */
const byPackage = (rows: readonly (readonly [string, string])[]): Map<string, Requirement> =>
  new Map(rows.map(requirementOf).map((one) => [one.name.toLowerCase().replace(/[-_.]+/g, "-"), one]));

export const requirementDifferences = (
  mine: readonly (readonly [string, string])[],
  other: readonly (readonly [string, string])[],
): Difference<Requirement>[] =>
  differences(byPackage(mine), byPackage(other), (a, b) => a.version === b.version).map((row) => ({
    ...row,
    name: (row.mine ?? row.other)!.name,
  }));

/** "2 differ of 7", or that none does. */
export function differText(rows: readonly { change: Change }[]): string {
  const differing = rows.filter(({ change }) => change !== "same").length;
  return differing === 0 ? "no difference" : `${differing} ${differing === 1 ? "differs" : "differ"} of ${rows.length}`;
}
