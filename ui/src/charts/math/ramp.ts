/** Colours between two, as the eye sees the distance: through OKLab. */

type Triple = readonly [number, number, number];

const LEVELS = 24;

/** `LEVELS` colours from one hex colour to another. */
export function ramp(from: string, to: string): string[] {
  const [a, b] = [labOf(from), labOf(to)];
  return Array.from({ length: LEVELS }, (_, i) => {
    const part = i / (LEVELS - 1);
    return hexOf(a.map((value, k) => value + (b[k]! - value) * part) as unknown as Triple);
  });
}

/** The colour of a share from 0 to 1. */
export const shade = (colors: readonly string[], share: number): string =>
  colors[Math.max(0, Math.min(colors.length - 1, Math.round(share * (colors.length - 1))))]!;

const linear = (value: number): number => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
const gamma = (value: number): number => (value <= 0.0031308 ? value * 12.92 : 1.055 * value ** (1 / 2.4) - 0.055);

function labOf(hex: string): Triple {
  const number = Number.parseInt(hex.replace("#", ""), 16);
  const [r, g, b] = [16, 8, 0].map((shift) => linear(((number >> shift) & 255) / 255)) as unknown as Triple;
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

function hexOf([light, a, b]: Triple): string {
  const l = (light + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (light - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (light - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const channels = [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
  const text = channels.map((value) =>
    Math.round(255 * gamma(Math.max(0, Math.min(1, value))))
      .toString(16)
      .padStart(2, "0"),
  );
  return `#${text.join("")}`;
}
