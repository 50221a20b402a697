/**
 * A small random forest that predicts a metric from params, and how much worse it does when one of them is shuffled:
 * permutation importance on the runs that a tree did not see. The same input gives the same figures.
 */

export interface ForestOptions {
  trees?: number;
  seed?: number;
  /** A leaf has at least so many runs. */
  leaf?: number;
  depth?: number;
}

type Tree = { value: number } | { feature: number; limit: number; below: Tree; above: Tree };

/** Numbers from 0 to below 1, the same ones for the same seed. */
export function dice(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

/**
 * Shares of the columns in predicting `target`, which add up to 1, or are all 0 when nothing predicts it. Columns hold
 * numbers; all have the length of the target.
 */
export function importance(
  columns: readonly ArrayLike<number>[],
  target: ArrayLike<number>,
  { trees = 64, seed = 1, leaf = 3, depth = 10 }: ForestOptions = {},
): number[] {
  const rows = target.length;
  const losses = new Float64Array(columns.length);
  if (rows < 2 * leaf || columns.length === 0) return [...losses];
  const roll = dice(seed);
  const tried = Math.max(1, Math.ceil(columns.length / 2));
  for (let t = 0; t < trees; t++) {
    const sample = Int32Array.from({ length: rows }, () => Math.floor(roll() * rows));
    const seen = new Set(sample);
    const unseen = Array.from({ length: rows }, (_, i) => i).filter((i) => !seen.has(i));
    if (unseen.length < 2) continue;
    const tree = grow(columns, target, [...sample], { roll, tried, leaf, depth });
    const usual = error(tree, columns, target, unseen);
    columns.forEach((_, feature) => {
      losses[feature] =
        losses[feature]! + error(tree, columns, target, unseen, feature, shuffled(unseen, roll)) - usual;
    });
  }
  const gains = [...losses].map((loss) => Math.max(0, loss));
  const total = gains.reduce((sum, gain) => sum + gain, 0);
  return gains.map((gain) => (total > 0 ? gain / total : 0));
}

interface Growth {
  roll: () => number;
  tried: number;
  leaf: number;
  depth: number;
}

function grow(columns: readonly ArrayLike<number>[], target: ArrayLike<number>, rows: number[], how: Growth): Tree {
  const mean = rows.reduce((sum, row) => sum + target[row]!, 0) / rows.length;
  if (how.depth === 0 || rows.length < 2 * how.leaf) return { value: mean };
  const features = shuffled(
    columns.map((_, i) => i),
    how.roll,
  ).slice(0, how.tried);
  let best: { gain: number; feature: number; limit: number } | null = null;
  for (const feature of features) {
    const split = bestSplit(columns[feature]!, target, rows, how.leaf);
    if (split && (!best || split.gain > best.gain)) best = { ...split, feature };
  }
  if (!best) return { value: mean };
  const { feature, limit } = best;
  const column = columns[feature]!;
  const deeper = { ...how, depth: how.depth - 1 };
  return {
    feature,
    limit,
    below: grow(
      columns,
      target,
      rows.filter((row) => column[row]! <= limit),
      deeper,
    ),
    above: grow(
      columns,
      target,
      rows.filter((row) => column[row]! > limit),
      deeper,
    ),
  };
}

/** The limit that takes most of the variance away: sum² / n of both sides is greatest. */
function bestSplit(column: ArrayLike<number>, target: ArrayLike<number>, rows: number[], leaf: number) {
  const sorted = [...rows].sort((a, b) => column[a]! - column[b]!);
  const total = sorted.reduce((sum, row) => sum + target[row]!, 0);
  const usual = (total * total) / sorted.length;
  let best: { gain: number; limit: number } | null = null;
  let left = 0;
  for (let i = 0; i + leaf < sorted.length; i++) {
    left += target[sorted[i]!]!;
    const here = column[sorted[i]!]!;
    const next = column[sorted[i + 1]!]!;
    if (i + 1 < leaf || here === next) continue;
    const gain = (left * left) / (i + 1) + (total - left) ** 2 / (sorted.length - i - 1) - usual;
    if (gain > 1e-12 && (!best || gain > best.gain)) best = { gain, limit: (here + next) / 2 };
  }
  return best;
}

/** Mean squared error on rows; with `feature`, that column is read from other rows instead. */
function error(
  tree: Tree,
  columns: readonly ArrayLike<number>[],
  target: ArrayLike<number>,
  rows: readonly number[],
  feature = -1,
  others: readonly number[] = rows,
): number {
  let sum = 0;
  rows.forEach((row, i) => {
    let node = tree;
    while ("feature" in node) {
      const from = node.feature === feature ? others[i]! : row;
      node = columns[node.feature]![from]! <= node.limit ? node.below : node.above;
    }
    sum += (target[row]! - node.value) ** 2;
  });
  return sum / rows.length;
}

function shuffled<T>(items: readonly T[], roll: () => number): T[] {
  const out = [...items];
  for (let i = out.length - 1; i > 0; i--) {
    const j = Math.floor(roll() * (i + 1));
    [out[i], out[j]] = [out[j]!, out[i]!];
  }
  return out;
}
