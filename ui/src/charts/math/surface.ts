/** A surface through scattered values, and its contours. */

import { contours, type ContourMultiPolygon } from "d3-contour";

/** How far a value reaches, as a share of each axis. */
const REACH = 0.09;

/**
 * Values on a grid of `size` by `size` over the unit square: near each place the mean of what is around, the nearer
 * the more it counts.
 */
export function surface(x: ArrayLike<number>, y: ArrayLike<number>, z: ArrayLike<number>, size = 48): number[] {
  const out: number[] = [];
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      const [across, up] = [column / (size - 1), row / (size - 1)];
      let sum = 0;
      let total = 0;
      for (let i = 0; i < z.length; i++) {
        const distance = ((x[i]! - across) ** 2 + (y[i]! - up) ** 2) / (2 * REACH * REACH);
        const weight = Math.exp(-Math.min(distance, 600)) + 1e-12 / (1 + distance);
        sum += weight * z[i]!;
        total += weight;
      }
      out.push(sum / total);
    }
  }
  return out;
}

/** Areas above so many levels between the least and the greatest value of the grid. */
export function contoursOf(grid: number[], size: number, levels = 9): ContourMultiPolygon[] {
  const low = Math.min(...grid);
  const high = Math.max(...grid);
  const limits = Array.from({ length: levels }, (_, i) => low + ((high - low) * i) / levels);
  return contours().size([size, size]).thresholds(limits)(grid);
}

/** The outline of an area as an SVG path; the grid's cells go to pixels by `at`. */
export function outline({ coordinates }: ContourMultiPolygon, at: (x: number, y: number) => [number, number]): string {
  return coordinates
    .flatMap((polygon) =>
      polygon.map(
        (ring) =>
          `M${ring
            .map(([x, y]) =>
              at(x!, y!)
                .map((v) => v.toFixed(1))
                .join(","),
            )
            .join("L")}Z`,
      ),
    )
    .join("");
}
