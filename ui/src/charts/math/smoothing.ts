/** Smoothing over the drawn items of a curve, be they points or means of buckets. What is not finite stays a gap. */

export type Smoothing = "off" | "ema" | "gauss";

/** Exponential moving average, without the pull of its start towards zero. `weight` from 0 (none) to below 1. */
export function ema(values: ArrayLike<number>, weight: number): Float64Array {
  const out = new Float64Array(values.length);
  let held = 0;
  let total = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!Number.isFinite(value)) {
      out[i] = NaN;
      continue;
    }
    held = weight * held + (1 - weight) * value;
    total = weight * total + (1 - weight);
    out[i] = held / total;
  }
  return out;
}

/** Gaussian kernel over the places of items, cut off at three `sigma`; weights of what is missing are left out. */
export function gaussian(values: ArrayLike<number>, sigma: number): Float64Array {
  const out = Float64Array.from(values, (value) => (Number.isFinite(value) ? value : NaN));
  const reach = Math.ceil(3 * sigma);
  if (!(sigma > 0)) return out;
  const kernel = Array.from({ length: reach + 1 }, (_, i) => Math.exp(-(i * i) / (2 * sigma * sigma)));
  for (let i = 0; i < values.length; i++) {
    if (Number.isNaN(out[i])) continue;
    let sum = 0;
    let total = 0;
    for (let j = Math.max(0, i - reach); j <= Math.min(values.length - 1, i + reach); j++) {
      const value = values[j]!;
      if (!Number.isFinite(value)) continue;
      const weight = kernel[Math.abs(i - j)]!;
      sum += weight * value;
      total += weight;
    }
    out[i] = sum / total;
  }
  return out;
}

/** The same setting of the slider smooths alike in both ways: an average lags by as many items as sigma is wide. */
export function smooth(values: ArrayLike<number>, kind: Smoothing, weight: number): Float64Array {
  if (kind === "ema" && weight > 0) return ema(values, weight);
  if (kind === "gauss" && weight > 0) return gaussian(values, Math.min(weight / (1 - weight), values.length / 6));
  return Float64Array.from(values, (value) => (Number.isFinite(value) ? value : NaN));
}
