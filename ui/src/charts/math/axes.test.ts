import { describe, expect, it } from "vitest";
import { matcher, PLAIN, sectionsOf } from "./keys";
import { durationTick, roomy, scale, ticksOf, tickTexts, timeTicks, timeTick } from "./scales";

describe("scales", () => {
  it("have an inverse", () => {
    for (const log of [false, true]) {
      const there = scale([0.5, 80], [300, 20], log);
      for (const value of [0.5, 1, 7, 42, 80]) expect(there.invert(there.at(value))).toBeCloseTo(value, 9);
      expect(there.at(0.5)).toBe(300);
      expect(there.at(80)).toBeCloseTo(20, 9);
    }
    expect(scale([1, 10], [0, 1], true).at(0)).toBeNaN();
    expect(scale([3, 3], [0, 100]).at(3)).toBe(0);
  });

  it("have round ticks", () => {
    expect(ticksOf({ domain: [0, 90_000], log: false }, 4)).toEqual([0, 20_000, 40_000, 60_000, 80_000]);
    expect(ticksOf({ domain: [0.5, 7], log: true }, 4)).toEqual([0.5, 1, 2, 5]);
    expect(ticksOf({ domain: [1e-5, 1], log: true }, 5)).toEqual([1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1]);
    expect(ticksOf({ domain: [1e-12, 1], log: true }, 4).length).toBeLessThan(7);
    expect(ticksOf({ domain: [2, 3], log: true }, 4)).toContain(2.4);
  });

  it("write ticks with one precision", () => {
    expect(tickTexts([0.5, 0.6, 0.7], false)).toEqual(["0.5", "0.6", "0.7"]);
    expect(tickTexts([0, 1, 2], false)).toEqual(["0", "1", "2"]);
    expect(tickTexts([1, 1.5, 2], false)).toEqual(["1.0", "1.5", "2.0"]);
    expect(tickTexts([0, 30_000, 60_000], false)).toEqual(["0", "30k", "60k"]);
    expect(tickTexts([1e12, 1e13], true)).toEqual(["1e12", "1e13"]);
    expect(tickTexts([0, 2e13], false)).toEqual(["0", "2e13"]);
    expect(tickTexts([5000, 10_000], false)).toEqual(["5k", "10k"]);
    expect(tickTexts([0, 5e5, 1e6], false)).toEqual(["0", "500k", "1000k"]);
    expect(tickTexts([0, 5e5, 1e7], false)).toEqual(["0", "0.5M", "10M"]);
    expect(tickTexts([0, 5e-6], false)).toEqual(["0", "5e-6"]);
    expect(tickTexts([0.001, 0.01], true)).toEqual(["0.001", "0.01"]);
  });

  it("cut time into hours and days", () => {
    const hour = 3_600_000;
    expect(timeTicks([0, 5 * hour], 5, false)).toEqual([0, 1, 2, 3, 4, 5].map((n) => n * hour));
    expect(timeTicks([0, 500], 5, false)).toContain(100);
    expect([0, 90_000, 2 * hour, 72 * hour].map(durationTick)).toEqual(["0", "1.5 min", "2 h", "3 d"]);
    const midnight = new Date(2026, 10, 21).getTime();
    const days = timeTicks([midnight, midnight + 72 * hour], 3, true);
    expect(days.map((day) => timeTick(day, 24 * hour))).toEqual(["Nov 21", "Nov 22", "Nov 23", "Nov 24"]);
    expect(timeTick(midnight + 13 * hour, hour)).toBe("13:00");
  });

  it("leave room, for a single value as well", () => {
    expect(roomy([0, 100], false)).toEqual([-4, 104]);
    expect(roomy([5, 5], false)).toEqual([4.5, 5.5]);
    expect(roomy([0, 0], false)).toEqual([-1, 1]);
    expect(roomy([1, 1], true)).toEqual([0.5, 2]);
  });
});

describe("keys", () => {
  it("stand in sections by prefix, the machine last, numbers by size", () => {
    expect(sectionsOf(["val/loss", "system/cpu", "loss", "train/l10", "train/l2", "/odd"])).toEqual([
      { name: PLAIN, keys: ["/odd", "loss"] },
      { name: "train", keys: ["train/l2", "train/l10"] },
      { name: "val", keys: ["val/loss"] },
      { name: "system", keys: ["system/cpu"] },
    ]);
  });

  it("are found by regular expression in any case", () => {
    const { matches, error } = matcher("^val/.*LOSS$");
    expect(error).toBe("");
    expect(["val/loss", "val/a/loss", "train/loss"].map(matches)).toEqual([true, true, false]);
    expect(matcher("").matches("anything")).toBe(true);
  });

  it("are found as text when the pattern is no regular expression", () => {
    const { matches, error } = matcher("f(x");
    expect(error).toContain("taken as text");
    expect(["F(X)", "fx"].map(matches)).toEqual([true, false]);
  });
});
