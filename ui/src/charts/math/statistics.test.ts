import { describe, expect, it } from "vitest";
import { dice, importance } from "./forest";
import { ranks, spearman } from "./ranks";
import { bins, box } from "./stats";

const roll = dice(11);
const uniform = (length: number) => Array.from({ length }, roll);

describe("rank correlation", () => {
  it("shares ranks between equal values", () => {
    expect([...ranks([10, 20, 10, 5])]).toEqual([2.5, 4, 2.5, 1]);
  });

  it("agrees with the formula for columns without ties", () => {
    const [a, b] = [uniform(50), uniform(50)];
    const [x, y] = [ranks(a), ranks(b)];
    const squares = a.reduce((sum, _, i) => sum + (x[i]! - y[i]!) ** 2, 0);
    expect(spearman(a, b)).toBeCloseTo(1 - (6 * squares) / (50 * (50 * 50 - 1)), 12);
  });

  it("does not change under what keeps the order", () => {
    const [a, b] = [uniform(40), uniform(40)];
    expect(spearman(a.map(Math.exp), b)).toBeCloseTo(spearman(a, b)!, 12);
    expect(spearman(a, a)).toBeCloseTo(1, 12);
    expect(
      spearman(
        a,
        a.map((value) => -value),
      ),
    ).toBeCloseTo(-1, 12);
  });

  it("is nothing for constants, and leaves out what is no number", () => {
    expect(spearman([1, 1, 1], [1, 2, 3])).toBeNull();
    expect(spearman([1, 2], [1, 2])).toBeNull();
    expect(spearman([1, 2, 3, NaN, null], [1, 2, 3, -9, -9])).toBeCloseTo(1, 12);
  });
});

describe("forest importance", () => {
  const [strong, weak, none] = [uniform(200), uniform(200), uniform(200)];
  const target = strong.map((value, i) => 5 * (value - 0.4) ** 2 + 0.3 * weak[i]!);

  it("finds what matters, though it is not monotonic", () => {
    const shares = importance([none, strong, weak], target);
    expect(shares[1]).toBeGreaterThan(0.6);
    expect(shares[1]).toBeGreaterThan(shares[2]!);
    expect(shares[2]).toBeGreaterThan(shares[0]!);
    expect(shares.reduce((a, b) => a + b)).toBeCloseTo(1, 12);
  });

  it("gives the same figures for the same runs", () => {
    expect(importance([strong, weak], target)).toEqual(importance([strong, weak], target));
    expect(importance([strong, weak], target, { seed: 2 })).not.toEqual(importance([strong, weak], target));
  });

  it("says nothing where there is nothing", () => {
    expect(importance([none], Array(200).fill(1))).toEqual([0]);
    expect(importance([], target)).toEqual([]);
    expect(importance([[1, 2]], [1, 2])).toEqual([0]);
  });
});

describe("distributions", () => {
  it("put every finite value into one bin, between its edges", () => {
    const values = [...uniform(500).map((value) => value * 7 - 3), NaN, Infinity];
    const found = bins(values, 12);
    expect(found.reduce((sum, { count }) => sum + count, 0)).toBe(500);
    found.forEach(({ from, to, count }, i) => {
      const last = i === found.length - 1;
      expect(count).toBe(values.filter((value) => value >= from && (last ? value <= to : value < to)).length);
    });
  });

  it("have one bin for one value and none for nothing", () => {
    expect(bins([2, 2])).toEqual([{ from: 2, to: 2, count: 2 }]);
    expect(bins([NaN])).toEqual([]);
    expect(bins([0, 0.1, 0.2, 0.3], 3).reduce((sum, { count }) => sum + count, 0)).toBe(4);
  });

  it("have boxes with whiskers at values, and the rest as outliers", () => {
    expect(box([1, 2, 3, 4, 100, NaN])).toEqual({
      count: 5,
      min: 1,
      q1: 2,
      median: 3,
      q3: 4,
      max: 100,
      low: 1,
      high: 4,
      outliers: [100],
    });
    expect(box([])).toBeNull();
    expect(box([7])).toMatchObject({ q1: 7, median: 7, q3: 7, low: 7, high: 7, outliers: [] });
  });
});
