/** How two columns go together by rank, which neither scale nor outliers change. */

/** Ranks from 1; equal values share the mean of their ranks. */
export function ranks(values: readonly number[]): Float64Array {
  const order = values.map((_, i) => i).sort((a, b) => values[a]! - values[b]!);
  const out = new Float64Array(values.length);
  for (let first = 0; first < order.length;) {
    let end = first + 1;
    while (end < order.length && values[order[end]!] === values[order[first]!]) end++;
    for (let i = first; i < end; i++) out[order[i]!] = (first + 1 + end) / 2;
    first = end;
  }
  return out;
}

/** Spearman's rho from -1 to 1 over pairs that are both finite; null for fewer than three, or when one is constant. */
export function spearman(a: readonly (number | null)[], b: readonly (number | null)[]): number | null {
  const pairs = a.flatMap((value, i) => {
    const other = b[i];
    return Number.isFinite(value) && Number.isFinite(other) ? [[value as number, other as number] as const] : [];
  });
  if (pairs.length < 3) return null;
  const x = ranks(pairs.map(([one]) => one));
  const y = ranks(pairs.map(([, one]) => one));
  const middle = (pairs.length + 1) / 2;
  let together = 0;
  let alone = 0;
  let other = 0;
  for (let i = 0; i < pairs.length; i++) {
    together += (x[i]! - middle) * (y[i]! - middle);
    alone += (x[i]! - middle) ** 2;
    other += (y[i]! - middle) ** 2;
  }
  return alone === 0 || other === 0 ? null : together / Math.sqrt(alone * other);
}
