import { describe, expect, it } from "vitest";
import { meanBand, nearestIndex, resample } from "./band";
import { clippedExtent, extentOf, outside } from "./clip";
import { dice } from "./forest";
import { ema, gaussian, smooth } from "./smoothing";

const roll = dice(7);
const noise = (length: number) => Array.from({ length }, () => roll() * 10 - 5);

describe("smoothing", () => {
  it("leaves a constant as it is, from the first item on", () => {
    for (const kind of ["ema", "gauss"] as const) {
      for (const value of smooth(Array(50).fill(3), kind, 0.9)) expect(value).toBeCloseTo(3, 12);
    }
  });

  it("is the weighted mean of everything before", () => {
    const values = noise(40);
    const weight = 0.8;
    const smoothed = ema(values, weight);
    values.forEach((_, i) => {
      const weights = values.slice(0, i + 1).map((_, j) => weight ** (i - j));
      const total = weights.reduce((a, b) => a + b);
      const mean = weights.reduce((sum, one, j) => sum + one * values[j]!, 0) / total;
      expect(smoothed[i]).toBeCloseTo(mean, 10);
    });
  });

  it("looks both ways with a Gaussian: a mirrored curve stays mirrored", () => {
    const values = noise(31);
    const there = gaussian(values, 2);
    const back = gaussian([...values].reverse(), 2).reverse();
    there.forEach((value, i) => expect(value).toBeCloseTo(back[i]!, 10));
    expect(Math.max(...there)).toBeLessThan(Math.max(...values));
  });

  it("keeps gaps where there is no number, and goes on behind them", () => {
    const values = [1, NaN, 1, Infinity, 1];
    for (const kind of ["off", "ema", "gauss"] as const) {
      expect([...smooth(values, kind, 0.5)].map((value) => Math.round(value))).toEqual([1, NaN, 1, NaN, 1]);
    }
  });

  it("does nothing with a weight of zero", () => {
    const values = noise(10);
    expect([...smooth(values, "ema", 0)]).toEqual(values);
    expect([...smooth(values, "gauss", 0)]).toEqual(values);
  });
});

describe("the shown range", () => {
  it("is all there is without clipping", () => {
    expect(
      extentOf([
        [3, NaN, -2],
        [Infinity, 5],
      ]),
    ).toEqual([-2, 5]);
    expect(extentOf([[3, 0, -2]], true)).toEqual([3, 3]);
    expect(extentOf([[NaN]])).toBeNull();
  });

  it("leaves out a spike, and says what it left out", () => {
    const values = [...Array.from({ length: 300 }, (_, i) => i / 300), 500, -400];
    const span = clippedExtent([values])!;
    expect(span[1]).toBeLessThan(2);
    expect(span[0]).toBeGreaterThan(-2);
    expect(outside([values], span)).toEqual({ below: 1, above: 1 });
  });

  it("hides nothing where nothing sticks out", () => {
    const values = Array.from({ length: 300 }, (_, i) => i);
    expect(clippedExtent([values])).toEqual([0, 299]);
    expect(clippedExtent([[1, 1, 1]])).toEqual([1, 1]);
  });

  it("goes over several columns as over one", () => {
    const values = [...noise(400), 900];
    expect(clippedExtent([values.slice(0, 7), values.slice(7)])).toEqual(clippedExtent([values]));
  });
});

describe("mean with band", () => {
  it("is mean and standard deviation on the same places", () => {
    const x = Array.from({ length: 5 }, (_, i) => i);
    const lines = [1, 2, 6].map((level) => ({ x, y: x.map(() => level) }));
    const band = meanBand(lines, 5);
    expect([...band.mean]).toEqual(Array(5).fill(3));
    band.high.forEach((value) => expect(value).toBeCloseTo(3 + Math.sqrt(7), 12));
    band.low.forEach((value) => expect(value).toBeCloseTo(3 - Math.sqrt(7), 12));
  });

  it("counts only the curves that reach a place", () => {
    const band = meanBand(
      [
        { x: [0, 10], y: [0, 10] },
        { x: [0, 5], y: [2, 7] },
      ],
      11,
    );
    expect(band.mean[0]).toBe(1);
    expect(band.mean[5]).toBe(6);
    expect(band.mean[8]).toBe(8);
    expect(band.high[8]).toBe(8);
  });

  it("is empty for nothing and a point for a point", () => {
    expect(meanBand([]).x.length).toBe(0);
    expect([...meanBand([{ x: [4], y: [2] }]).mean]).toEqual([2]);
  });

  it("interpolates between items and not over gaps", () => {
    expect([...resample({ x: [0, 2, 4], y: [0, 2, NaN] }, [-1, 0, 1, 2, 3, 5])]).toEqual([NaN, 0, 1, 2, NaN, NaN]);
  });
});

describe("nearestIndex", () => {
  it("agrees with a look at all items", () => {
    const x = noise(60).sort((a, b) => a - b);
    for (const place of noise(200)) {
      const distances = x.map((value) => Math.abs(value - place));
      expect(distances[nearestIndex(x, place)]).toBe(Math.min(...distances));
    }
    expect(nearestIndex([], 1)).toBe(-1);
  });
});
