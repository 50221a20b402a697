/** The mean of several curves with a band around it. */

export interface Line {
  x: ArrayLike<number>;
  y: ArrayLike<number>;
}

export interface Band {
  x: Float64Array;
  mean: Float64Array;
  low: Float64Array;
  high: Float64Array;
}

const GRID = 240;

/**
 * Mean and standard deviation at places that all curves share. At each place those curves count that reach over it;
 * between two items a curve is straight, over a gap it does not count.
 */
export function meanBand(lines: readonly Line[], size = GRID): Band {
  let low = Infinity;
  let high = -Infinity;
  for (const { x } of lines) {
    if (x.length === 0) continue;
    low = Math.min(low, x[0]!);
    high = Math.max(high, x[x.length - 1]!);
  }
  const count = low < high ? size : low === high ? 1 : 0;
  const x = Float64Array.from({ length: count }, (_, i) => low + ((high - low) * i) / Math.max(1, count - 1));
  const sums = new Float64Array(count);
  const squares = new Float64Array(count);
  const members = new Float64Array(count);
  for (const line of lines) {
    const values = resample(line, x);
    for (let i = 0; i < count; i++) {
      const value = values[i]!;
      if (Number.isNaN(value)) continue;
      // Welford's step: sums of squares of large numbers would lose what differs.
      members[i] = members[i]! + 1;
      const distance = value - sums[i]!;
      sums[i] = sums[i]! + distance / members[i]!;
      squares[i] = squares[i]! + distance * (value - sums[i]!);
    }
  }
  const mean = sums.map((value, i) => (members[i]! > 0 ? value : NaN));
  const deviation = squares.map((value, i) => (members[i]! > 1 ? Math.sqrt(value / (members[i]! - 1)) : 0));
  return {
    x,
    mean,
    low: mean.map((value, i) => value - deviation[i]!),
    high: mean.map((value, i) => value + deviation[i]!),
  };
}

/** Values of a curve at ascending places; NaN outside of it and in its gaps. */
export function resample({ x, y }: Line, places: ArrayLike<number>): Float64Array {
  const out = new Float64Array(places.length).fill(NaN);
  let at = 0;
  for (let i = 0; i < places.length; i++) {
    const place = places[i]!;
    while (at + 1 < x.length && x[at + 1]! < place) at++;
    if (at < x.length && x[at] === place) out[i] = y[at]!;
    else if (at + 1 < x.length && x[at]! <= place && place <= x[at + 1]!) {
      const part = (place - x[at]!) / (x[at + 1]! - x[at]! || 1);
      out[i] = part === 1 ? y[at + 1]! : y[at]! + (y[at + 1]! - y[at]!) * part;
    }
  }
  return out;
}

/** The item of ascending `x` that is nearest to a place; -1 when there is none. */
export function nearestIndex(x: ArrayLike<number>, place: number): number {
  let low = 0;
  let high = x.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (x[middle]! <= place) low = middle;
    else high = middle;
  }
  if (high < 0) return -1;
  return Math.abs(x[high]! - place) < Math.abs(x[low]! - place) ? high : low;
}
