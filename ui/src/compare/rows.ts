/** What is compared: one row for each key, one value for each run. */

import { toNumber } from "../format/figures";
import { inNaturalOrder } from "../format/order";
import { goalOf, type Goal } from "../runs/columns";
import type { RunData } from "../run/runData";

export type Section = "metrics" | "params" | "environment" | "tags";

export interface CompareRow {
  section: Section;
  key: string;
  values: (string | number | null)[];
  /** Whether two of the values are not the same; missing is a value. */
  differs: boolean;
  goal: Goal;
  /** Which values are the best of the row; none when all are. */
  best: boolean[];
}

const MACHINE = /^(mlflow|stele)\./;
const ENVIRONMENT: Record<string, string> = {
  "stele.python.version": "python",
  "stele.host": "host",
  "stele.gpu": "gpu",
  "mlflow.source.name": "source",
  "mlflow.source.git.commit": "git.commit",
  "mlflow.source.git.branch": "git.branch",
  "mlflow.source.git.dirty": "git.dirty",
  "mlflow.user": "user",
};

function keysOf(maps: readonly ReadonlyMap<string, unknown>[]): string[] {
  return inNaturalOrder(new Set(maps.flatMap((map) => [...map.keys()])), (key) => key);
}

const same = (a: unknown, b: unknown): boolean => Object.is(a, b);

function row(section: Section, key: string, values: (string | number | null)[]): CompareRow {
  const differs = values.some((value) => !same(value, values[0]));
  const goal = section === "metrics" ? goalOf(key) : null;
  const numbers = values.map((value) => (typeof value === "number" && Number.isFinite(value) ? value : null));
  const finite = numbers.filter((value) => value !== null);
  const best = goal === "up" ? Math.max(...finite) : Math.min(...finite);
  return {
    section,
    key,
    values,
    differs,
    goal,
    best: numbers.map((value) => differs && goal !== null && value !== null && value === best),
  };
}

/**
 * All rows: metrics by last value, params, what the environment was, and tags.
 *
 * @param packages Versions by name for each run, where they are known.
 */
export function compareRows(
  runs: readonly RunData[],
  packages: readonly ReadonlyMap<string, string>[] = [],
): CompareRow[] {
  const metrics = keysOf(runs.map((run) => run.metrics)).map((key) =>
    row(
      "metrics",
      key,
      runs.map((run) => run.metrics.get(key)?.value ?? null),
    ),
  );
  const params = keysOf(runs.map((run) => run.params)).map((key) =>
    row(
      "params",
      key,
      runs.map((run) => run.params.get(key) ?? null),
    ),
  );
  const machine = Object.entries(ENVIRONMENT)
    .filter(([tag]) => runs.some((run) => run.tags.has(tag)))
    .map(([tag, name]) =>
      row(
        "environment",
        name,
        runs.map((run) => run.tags.get(tag) ?? null),
      ),
    );
  const installed =
    packages.length === 0
      ? []
      : keysOf(packages).map((name) =>
          row(
            "environment",
            name,
            packages.map((of) => of.get(name) ?? null),
          ),
        );
  const tags = keysOf(runs.map((run) => run.tags))
    .filter((key) => !MACHINE.test(key))
    .map((key) =>
      row(
        "tags",
        key,
        runs.map((run) => run.tags.get(key) ?? null),
      ),
    );
  return [...metrics, ...params, ...machine, ...installed, ...tags];
}

/** How far along its row a value is, 0 to 1, for its bar; null for what has no place. */
export function shareOf({ values }: CompareRow, at: number): number | null {
  const value = toNumber(values[at]);
  const sizes = values.map((one) => (typeof one === "number" && Number.isFinite(one) ? Math.abs(one) : 0));
  const most = Math.max(...sizes);
  return value === null || !Number.isFinite(value) || most === 0 ? null : Math.abs(value) / most;
}

export interface Picture {
  path: string;
  step: number | null;
}

/** What `log_image` calls a picture; older clients had other signs between the parts, and for a slash in the key. */
const LOGGED = [
  { name: /^images\/(.+?)\+step\+(-?\d+)\+timestamp\+\d+\+[^/]*$/, slash: "~" },
  { name: /^images\/(.+?)%step%(-?\d+)%timestamp%\d+%[^/]*$/, slash: "#" },
];

function loggedPicture(path: string): { key: string; step: number } | null {
  for (const { name, slash } of LOGGED) {
    const match = name.exec(path);
    if (match) return { key: match[1]!.replaceAll(slash, "/"), step: Number(match[2]) };
  }
  return null;
}

/** The pictures of a run by name; those of `log_image` with their steps. Small copies that lie beside them are left out. */
export function picturesOf(paths: readonly string[]): Map<string, Picture[]> {
  const pictures = new Map<string, Picture[]>();
  for (const path of paths) {
    if (!/\.(png|jpe?g|gif|webp|svg)$/i.test(path) || /[+%]compressed\.\w+$/.test(path)) continue;
    const logged = loggedPicture(path);
    const name = logged?.key ?? path;
    pictures.set(name, [...(pictures.get(name) ?? []), { path, step: logged?.step ?? null }]);
  }
  for (const list of pictures.values()) list.sort((a, b) => (a.step ?? 0) - (b.step ?? 0));
  return pictures;
}

/** The last picture at or before a step, or the first one. */
export function pictureAt(pictures: readonly Picture[], step: number): Picture | undefined {
  return pictures.findLast((one) => one.step === null || one.step <= step) ?? pictures[0];
}
