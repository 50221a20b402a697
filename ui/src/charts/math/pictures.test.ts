import { describe, expect, it } from "vitest";
import { asFeature, axisColumn, axisTicks, brushedRows, placesOf, withMissing } from "./columns";
import { dice } from "./forest";
import { ramp, shade } from "./ramp";
import { contoursOf, outline, surface } from "./surface";

describe("columns as axes", () => {
  it("are numbers when everything in them is one", () => {
    expect(axisColumn(["0.1", 2, null, "NaN"])).toEqual({
      kind: "number",
      values: [0.1, 2, null, null],
      extent: [0.1, 2],
      log: false,
    });
    expect(axisColumn(["1e-4", "0.1"])).toMatchObject({ log: true });
    expect(axisColumn(["adam", "10", null])).toEqual({
      kind: "text",
      values: ["adam", "10", null],
      levels: ["10", "adam"],
    });
    expect(axisColumn([null])).toMatchObject({ kind: "number", extent: [0, 1] });
  });

  it("have places from 0 to 1", () => {
    expect([...placesOf(axisColumn([1, 2, 3, null]))]).toEqual([0, 0.5, 1, NaN]);
    expect([...placesOf(axisColumn([1, 10, 100]))]).toEqual([0, 0.5, 1]);
    expect([...placesOf(axisColumn(["b", "a", "c"]))]).toEqual([0.5, 0, 1]);
    expect([...placesOf(axisColumn([7, 7]))]).toEqual([0.5, 0.5]);
  });

  it("have a tick for each value when there are few", () => {
    expect(axisTicks(axisColumn([0, 0.1, 0.4]), 5).map(({ text }) => text)).toEqual(["0", "0.1", "0.4"]);
    expect(axisTicks(axisColumn(["sgd", "adam"]), 5)).toEqual([
      { at: 0, text: "adam" },
      { at: 1, text: "sgd" },
    ]);
    const many = axisTicks(axisColumn(Array.from({ length: 100 }, (_, i) => i)), 4);
    expect(many.length).toBeLessThan(8);
  });

  it("have a place for rows without a value, below the others", () => {
    const { places, ticks } = withMissing(axisColumn([1, null, 3]), 3);
    expect(places[1]).toBe(0);
    expect(places[0]).toBeGreaterThan(0);
    expect(places[2]).toBe(1);
    expect(ticks.map(({ text }) => text)).toEqual(["—", "1", "3"]);
    expect([...withMissing(axisColumn([1, null, 3]), 3, true).places]).toEqual([0, NaN, 1]);
    expect([...withMissing(axisColumn([1, 2, 3]), 3).places]).toEqual([0, 0.5, 1]);
  });

  it("are brushed together", () => {
    const places = [Float64Array.of(0, 0.5, 1), Float64Array.of(0.2, NaN, 0.9)];
    expect(brushedRows(places, [null, null])).toEqual([true, true, true]);
    expect(brushedRows(places, [[0.4, 1], null])).toEqual([false, true, true]);
    expect(
      brushedRows(places, [
        [0.4, 1],
        [0, 1],
      ]),
    ).toEqual([false, false, true]);
  });

  it("tell a forest nothing when they are constant or all names", () => {
    expect(asFeature(axisColumn([1, 1, null]))).toBeNull();
    expect(asFeature(axisColumn(Array.from({ length: 99 }, (_, i) => `id${i}`)))).toBeNull();
    expect([...asFeature(axisColumn([1, null, 2, 3]))!]).toEqual([0, 0.5, 0.5, 1]);
  });
});

describe("colours between two", () => {
  it("begin and end with them, and do not turn back", () => {
    const colors = ramp("#df7715", "#2f50c2");
    expect([colors[0], colors[colors.length - 1]]).toEqual(["#df7715", "#2f50c2"]);
    const red = colors.map((color) => Number.parseInt(color.slice(1, 3), 16));
    expect([...red].sort((a, b) => b - a)).toEqual(red);
    expect([shade(colors, -1), shade(colors, 2)]).toEqual([colors[0], colors[colors.length - 1]]);
  });
});

describe("surfaces", () => {
  const roll = dice(3);
  const [x, y] = [Array.from({ length: 200 }, roll), Array.from({ length: 200 }, roll)];

  it("follow what they are drawn through", () => {
    const size = 20;
    const grid = surface(
      x,
      y,
      x.map((value, i) => value + y[i]!),
      size,
    );
    expect(grid[0]!).toBeLessThan(0.5);
    expect(grid[size * size - 1]!).toBeGreaterThan(1.5);
    expect(
      surface(
        x,
        y,
        x.map(() => 3),
        size,
      ).every((value) => Math.abs(value - 3) < 1e-9),
    ).toBe(true);
  });

  it("have contours whose areas shrink upwards", () => {
    const grid = surface(x, y, x, 20);
    const found = contoursOf(grid, 20, 5);
    expect(found.length).toBe(5);
    const lengths = found.map((area) => outline(area, (a, b) => [a, b]));
    lengths.forEach((text) => expect(text).toMatch(/^M[\d.,L-]+Z/));
    const left = found.map((area) => Math.min(...area.coordinates.flat(2).map(([a]) => a!)));
    expect(left).toEqual([...left].sort((a, b) => a - b));
  });
});
