/** How figures read, as the guide's section 3 has it. */

export const MISSING = "—";
const MINUS = "−";

export type Figure = number | "NaN" | "Infinity" | "-Infinity" | null | undefined;

/** What the wire sends for a double: a number, or the name of one that JSON does not know. */
export function toNumber(value: unknown): number | null {
  if (typeof value === "number") return value;
  if (value === "NaN") return NaN;
  if (value === "Infinity") return Infinity;
  if (value === "-Infinity") return -Infinity;
  if (typeof value === "string" && value.trim() !== "" && Number.isFinite(Number(value))) return Number(value);
  return null;
}

/** The name of a number that is not finite, or null. */
export function notFinite(value: number): string | null {
  if (Number.isNaN(value)) return "NaN";
  if (value === Infinity) return "+Inf";
  if (value === -Infinity) return `${MINUS}Inf`;
  return null;
}

/** With commas between thousands. `Intl` does the same, but takes 30 ms to begin with. */
function grouped(value: number, decimals: number): string {
  const [whole = "", fraction] = value.toFixed(decimals).split(".");
  const thousands = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return fraction === undefined ? thousands : `${thousands}.${fraction}`;
}

/** A count, grouped and never shortened. */
export const count = (value: number): string => grouped(Math.round(value), 0).replace("-", MINUS);

/**
 * Decimals for a column: enough to tell its two closest values apart, 4 unless that needs more, at most 6; none when
 * all are integers.
 */
export function decimalsFor(values: readonly number[]): number {
  const plain = values.filter((value) => Number.isFinite(value) && !isScientific(value));
  if (plain.every(Number.isInteger)) return 0;
  const sorted = [...new Set(plain)].sort((a, b) => a - b);
  let closest = Infinity;
  for (let i = 1; i < sorted.length; i++) closest = Math.min(closest, sorted[i]! - sorted[i - 1]!);
  const largest = Math.max(...plain.map(Math.abs));
  const usual = largest >= 1000 ? 1 : largest >= 100 ? 2 : largest >= 10 ? 3 : 4;
  if (!Number.isFinite(closest)) return usual;
  return Math.min(6, Math.max(usual, Math.ceil(-Math.log10(closest) - 0.01)));
}

const isScientific = (value: number): boolean => value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e6);

/** A metric's value with so many decimals; very small and very large ones in scientific form with two digits. */
export function metric(value: number, decimals = 4): string {
  const name = notFinite(value);
  if (name) return name;
  if (isScientific(value)) {
    const [digits = "", exponent = ""] = value.toExponential(1).split("e");
    return `${digits.replace(/\.0$/, "").replace("-", MINUS)}e${exponent.replace("+", "")}`;
  }
  const text = grouped(Math.abs(value), decimals);
  return value < 0 ? MINUS + text : text;
}

/** A difference to the baseline: always with a sign. */
export function delta(value: number, decimals = 4): string {
  const text = metric(Math.abs(value), decimals);
  return (value < 0 ? MINUS : "+") + text;
}

/** A tick of an axis: counts shortened to `90k`. */
export function tick(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e9) return `${trim(value / 1e9)}G`;
  if (size >= 1e6) return `${trim(value / 1e6)}M`;
  if (size >= 1e4) return `${trim(value / 1e3)}k`;
  if (size >= 1e-3 || size === 0) return trim(value);
  return metric(value);
}

const trim = (value: number): string => String(Number(value.toPrecision(4))).replace("-", MINUS);

/** A size in binary units, three digits. */
export function bytes(value: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let unit = 0;
  let size = value;
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1024;
    unit += 1;
  }
  if (unit === 0) return `${size} B`;
  return `${size >= 100 ? size.toFixed(0) : size >= 10 ? size.toFixed(1) : size.toFixed(2)} ${units[unit]}`;
}
