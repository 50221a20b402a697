import { describe, expect, it } from "vitest";
import type { Shown } from "../data/loader";
import type { Curve } from "../data/series";
import { isLabelled, shorten, spread, xTicks } from "./Frame";
import { axesOf, indexRange, linesOf, singleValues, type DrawnRun } from "./model";

const RUNS: DrawnRun[] = ["a", "b", "c"].map((runId, i) => ({
  runId,
  name: `run ${runId}`,
  live: runId === "c",
  color: i + 1,
  dash: 0,
  group: i < 2 ? "sgd" : "adam",
}));
const GROUPS = [
  { name: "sgd", label: "sgd", color: 1 },
  { name: "adam", label: "adam", color: 2 },
];

function curve(runId: string, values: number[], key = "loss"): Curve {
  const y = Float64Array.from(values);
  const x = Float64Array.from(values, (_, i) => i * 10);
  return {
    runId,
    key,
    points: y.length,
    origin: 0,
    x,
    startX: x,
    endX: x,
    low: y,
    high: y,
    mean: y,
    last: y,
    nans: null,
    times: x,
  };
}

const shown = (...curves: Curve[]): Shown => ({ curves, x: "step", range: null, loading: false, error: null });
const plain = { smooth: "off", weight: 0.6, mean: false } as const;
const open = { logX: false, logY: false, clip: false, range: null };

describe("lines", () => {
  it("are the curves of the drawn runs, with their marks", () => {
    const lines = linesOf([shown(curve("a", [1, 2, NaN]), curve("c", [3]), curve("gone", [4]))], RUNS, [], plain);
    expect(lines.map(({ name }) => name)).toEqual(["run a", "run c"]);
    expect(lines[0]).toMatchObject({ broken: { x: 10, y: 2, name: "NaN" }, live: false, raw: null });
    expect(lines[1]!.live).toBe(true);
  });

  it("keep the raw curve behind a smoothed one", () => {
    const [line] = linesOf([shown(curve("a", [0, 10, 0, 10]))], RUNS, [], { ...plain, smooth: "ema" });
    expect([...line!.raw!.low]).toEqual([0, 10, 0, 10]);
    expect(line!.y[1]).toBeGreaterThan(0);
    expect(line!.y[1]).toBeLessThan(10);
  });

  it("become a mean with a band for each group", () => {
    const all = shown(curve("a", [1, 1]), curve("b", [3, 3]), curve("c", [7, 7]));
    const lines = linesOf([all], RUNS, GROUPS, { ...plain, mean: true });
    expect(lines.map(({ name, y, wide }) => [name, y[0], wide])).toEqual([
      ["sgd", 2, true],
      ["adam", 7, true],
    ]);
    expect(lines[0]!.band!.high[0]).toBeCloseTo(2 + Math.SQRT2, 12);
  });

  it("of several metrics are told apart by name and dash", () => {
    const both = [shown(curve("a", [1], "x")), shown(curve("a", [2], "y"))];
    expect(linesOf(both, RUNS, [], plain).map(({ name, dash }) => [name, dash])).toEqual([
      ["run a · x", 0],
      ["run a · y", 1],
    ]);
  });
});

describe("metrics with one value for each run", () => {
  const one = (...curves: Curve[]) => singleValues(linesOf([shown(...curves)], RUNS, [], plain));

  it("are bars and not points at step 0", () => {
    expect(one(curve("a", [0.5]), curve("b", [NaN]))).toEqual([
      { runId: "a", name: "run a", color: 1, value: 0.5 },
      { runId: "b", name: "run b", color: 2, value: NaN },
    ]);
  });

  it("are curves as soon as one of them goes on", () => {
    expect(one(curve("a", [0.5]), curve("b", [1, 2]))).toBeNull();
    expect(one()).toBeNull();
  });
});

describe("axes", () => {
  const lines = (values: number[]) => linesOf([shown(curve("a", values))], RUNS, [], plain);

  it("show everything, with some room above and below", () => {
    expect(axesOf(lines([1, 2, 3]), open)).toMatchObject({ x: [0, 20], y: [0.92, 3.08], logY: false });
    expect(axesOf([], open)).toBeNull();
  });

  it("fit what is in the zoomed range", () => {
    const { x, y } = axesOf(lines([0, 1, 2, 3, 100]), { ...open, range: [12, 18] })!;
    expect(x).toEqual([12, 18]);
    expect(y[1]).toBeLessThan(3);
  });

  it("are logarithmic only where there is something above zero", () => {
    expect(axesOf(lines([-1, 1, 100]), { ...open, logY: true })).toMatchObject({ logY: true });
    expect(axesOf(lines([-1, -2]), { ...open, logY: true })).toMatchObject({ logY: false });
    expect(axesOf(lines([1, 2, 3]), { ...open, logX: true })).toMatchObject({ logX: true, x: [10, 20] });
  });

  it("say how many outliers they leave out", () => {
    const values = [...Array.from({ length: 200 }, (_, i) => i / 200), 1e6];
    expect(axesOf(lines(values), { ...open, clip: true })).toMatchObject({ above: 1, below: 0 });
  });

  it("survive values of which none is finite", () => {
    expect(axesOf(lines([NaN, NaN]), open)).toMatchObject({ x: [0, 10], y: [0, 1] });
  });

  it("have whole steps as ticks", () => {
    expect(xTicks({ x: [0, 3], logX: false }, "step", 600).map(({ text }) => text)).toEqual(["0", "1", "2", "3"]);
    expect(xTicks({ x: [0, 7_200_000], logX: false }, "relative", 240).map(({ text }) => text)).toEqual([
      "0",
      "1 h",
      "2 h",
    ]);
  });
});

describe("ends of lines", () => {
  it("finds items of a range and one on each side", () => {
    const x = Float64Array.of(0, 10, 20, 30, 40);
    expect(indexRange(x, [12, 28])).toEqual([1, 4]);
    expect(indexRange(x, [10, 30])).toEqual([0, 5]);
    expect(indexRange(x, [50, 60])).toEqual([4, 5]);
    expect(indexRange(new Float64Array(), [0, 1])).toEqual([0, 0]);
  });

  it("spreads labels apart, inside of the plot, in their order", () => {
    const places = spread([50, 51, 52, 200], 8, 100, 12);
    const sorted = [...places].sort((a, b) => a - b);
    expect(places).toEqual(sorted);
    sorted.slice(1).forEach((place, i) => expect(place - sorted[i]!).toBeGreaterThanOrEqual(12));
    expect(places[3]).toBeLessThanOrEqual(100);
  });

  it("names two to four lines", () => {
    const many = (n: number) => linesOf([shown(...Array.from({ length: n }, () => curve("a", [1])))], RUNS, [], plain);
    expect([0, 1, 4, 5].map((n) => isLabelled(many(n)))).toEqual([false, false, true, false]);
    expect(shorten("a name that is rather long")).toBe("a name that i…");
  });
});
