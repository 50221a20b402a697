import { describe, expect, it } from "vitest";
import { axisColumn } from "../math/columns";
import { strongest, type PictureData } from "./data";

type Cells = (number | string | null)[];

function data(columns: Record<string, Cells>): PictureData {
  const cells = Object.values(columns);
  const runIds = cells[0]!.map((_, i) => `r${i}`);
  return {
    runIds,
    names: runIds,
    refs: Object.keys(columns).map((key) => ({ kind: "param", key })),
    columns: cells.map(axisColumn),
    cells,
    matched: runIds.length,
  };
}

const keysOf = ({ refs }: PictureData) => refs.map(({ key }) => key);

describe("the axes that nobody chose", () => {
  it("are those that go with the metric most, and the metric last", () => {
    const found = strongest(
      data({ weak: [1, 4, 2, 3], strong: [1, 2, 3, 4], same: [7, 7, 7, 7], metric: [1, 2, 3, 4] }),
    );
    expect(keysOf(found)).toEqual(["strong", "weak", "metric"]);
    expect(found.columns.length).toBe(3);
  });

  it("put what most runs have before what a few have", () => {
    const rare = [1, 2, 3, null, null, null, null, null];
    const common = [1, 3, 2, 5, 4, 6, 8, 7];
    expect(keysOf(strongest(data({ rare, common, metric: [1, 2, 3, 4, 5, 6, 7, 8] })))).toEqual([
      "common",
      "rare",
      "metric",
    ]);
  });

  it("are the metric alone when nothing goes with it", () => {
    expect(keysOf(strongest(data({ same: [1, 1, 1], metric: [1, 2, 3] })))).toEqual(["metric"]);
  });
});
