import { describe, expect, it } from "vitest";
import { DEFAULTS, formatSettings, parseSettings, type ChartSettings } from "./settings";

const FULL: ChartSettings = {
  smooth: "gauss",
  weight: 0.9,
  x: "relative",
  logX: true,
  logY: true,
  clip: true,
  search: "^val/",
  mean: true,
  range: [10, 200],
  show: 500,
  shown: ["r1"],
  pinned: ["m:val/loss"],
  added: [
    {
      id: "c1",
      kind: "scatter",
      columns: [
        { kind: "param", key: "lr" },
        { kind: "metric", key: "loss", aggregate: "min" },
      ],
      section: "Mine",
      title: "Title",
    },
  ],
  options: { "m:loss": { logY: false, clip: true, mean: true, width: 2 } },
  order: { val: ["m:val/b", "m:val/a"] },
  home: { "m:loss": "Mine" },
  sections: ["Mine"],
  named: { val: "Validation" },
  closed: ["system"],
  removed: ["m:noise"],
};

describe("chart settings", () => {
  it("come back from the address as they went", () => {
    expect(parseSettings(JSON.parse(JSON.stringify(formatSettings(FULL))))).toEqual(FULL);
    expect(parseSettings(formatSettings(DEFAULTS))).toEqual(DEFAULTS);
  });

  it("leave nothing in the address at their defaults", () => {
    expect(formatSettings(DEFAULTS)).toEqual({});
  });

  it("read nonsense as the default", () => {
    const nonsense = {
      sm: "x",
      w: 7,
      x: 1,
      r: [5, 1],
      n: -3,
      p: "no",
      a: [{ id: 1 }, null, { id: "a", k: "pie" }],
      o: { a: 4 },
    };
    expect(parseSettings(nonsense)).toEqual({ ...DEFAULTS, options: { a: {} } });
  });
});
