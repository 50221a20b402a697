import { describe, expect, it } from "vitest";
import { columnId, DEFAULT_VIEW, fieldName, formatView, orderBy, parseColumn, parseView, type RunsView } from "./view";

const FULL: RunsView = {
  filter: "metrics.loss < 0.5",
  sort: [
    { column: { kind: "metric", key: "val/loss", aggregate: "min" }, descending: false },
    { column: { kind: "attribute", key: "start_time" }, descending: true },
  ],
  columns: [
    { kind: "param", key: "lr" },
    { kind: "tag", key: "a:b c" },
  ],
  frozen: 1,
  widths: { "p:lr": 90 },
  group: [{ kind: "param", key: "optimizer" }],
  tree: true,
  onlyDiffering: true,
  heat: ["m:val/loss"],
  archived: "only",
  deleted: true,
  pinned: ["r1"],
  baseline: "r2",
  hidden: ["r3"],
  charts: { smooth: 0.6 },
};

describe("a view in the address", () => {
  it("reads back as it was written", () => {
    expect(parseView(formatView(FULL))).toEqual(FULL);
    expect(parseView(JSON.parse(JSON.stringify(formatView(FULL))))).toEqual(FULL);
  });

  it("leaves out what stands at its default", () => {
    expect(formatView(DEFAULT_VIEW)).toEqual({});
    expect(parseView({})).toEqual(DEFAULT_VIEW);
  });

  it("keeps a choice of no columns apart from no choice", () => {
    expect(parseView(formatView({ ...DEFAULT_VIEW, columns: [] })).columns).toEqual([]);
  });

  it("makes defaults of what makes no sense", () => {
    const odd = { q: 5, s: "up", c: ["x:1", "m.sum:loss", 7], w: { a: "wide" }, g: null, ar: "all", pin: [1], ch: [] };
    expect(parseView(odd)).toEqual({ ...DEFAULT_VIEW, filter: "5", columns: [] });
  });
});

describe("columns", () => {
  it("have ids that read back, whatever their key holds", () => {
    for (const key of ["loss", "a:b", "with space", "ü/<b>", "m.min:x", "line\nbreak"]) {
      for (const column of [{ kind: "param", key } as const, { kind: "metric", key, aggregate: "max" } as const]) {
        expect(parseColumn(columnId(column))).toEqual(column);
      }
    }
  });

  it("are quoted in filters where they must be", () => {
    expect(fieldName({ kind: "metric", key: "val/loss" })).toBe("metrics.`val/loss`");
    expect(fieldName({ kind: "param", key: "lr" })).toBe("params.lr");
    expect(fieldName({ kind: "tag", key: "a`b" })).toBe('tags."a`b"');
    expect(orderBy(FULL.sort)).toEqual(["min(metrics.`val/loss`) ASC", "attributes.start_time DESC"]);
  });
});
