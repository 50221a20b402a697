import { describe, expect, it } from "vitest";
import type { RunKey } from "../../runs/columns";
import { listColumns, suggestedCharts } from "./suggest";

const key = (kind: RunKey["kind"], name: string, runs = 10): RunKey => ({ kind, name, runs, numeric: true });
const KEYS = [
  key("metric", "system/gpu"),
  key("metric", "train/loss"),
  key("metric", "val/loss"),
  key("param", "lr"),
  key("param", "wd"),
];
const LOSS = { kind: "metric", key: "train/loss" } as const;

describe("what a charts page chooses", () => {
  it("judges runs by what they are sorted by, then by what is shown, then by a metric that validates", () => {
    const sort = [{ column: LOSS, descending: true }];
    expect(listColumns(KEYS, null, sort)).toEqual([LOSS]);
    expect(listColumns(KEYS, [{ kind: "param", key: "lr" }, LOSS], [])).toEqual([{ kind: "param", key: "lr" }, LOSS]);
    expect(listColumns(KEYS, null, [])).toEqual([{ kind: "metric", key: "val/loss" }]);
    expect(listColumns([key("metric", "system/gpu")], null, [])).toEqual([]);
  });

  it("does not take a metric that hardly any run has", () => {
    expect(listColumns([key("metric", "loss", 100), key("metric", "val/loss", 2)], null, [])).toEqual([
      { kind: "metric", key: "loss" },
    ]);
  });

  it("suggests pictures of params where there is something to see", () => {
    const found = suggestedCharts(KEYS, LOSS, 100);
    expect(found.map(({ kind }) => kind)).toEqual(["parallel", "importance"]);
    expect(found[0]!.columns.map(({ key: name }) => name)).toEqual(["lr", "wd", "train/loss"]);
    expect(suggestedCharts(KEYS, LOSS, 2)).toEqual([]);
    expect(suggestedCharts(KEYS.slice(0, 4), LOSS, 100)).toEqual([]);
    expect(suggestedCharts(KEYS, null, 100)).toEqual([]);
  });
});
