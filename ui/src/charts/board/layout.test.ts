import { describe, expect, it } from "vitest";
import {
  addSection,
  layoutOf,
  moveChart,
  moveSection,
  PINNED,
  removeChart,
  renameSection,
  rowsOf,
  sectionId,
  stepChart,
  stepSection,
} from "./layout";
import { DEFAULTS, type ChartSettings } from "./settings";

const KEYS = ["val/loss", "val/acc", "train/loss", "system/gpu"];
const set = (change: Partial<ChartSettings>): ChartSettings => ({ ...DEFAULTS, ...change });
const shape = (settings: ChartSettings) =>
  Object.fromEntries(layoutOf(KEYS, settings).map(({ name, charts }) => [name, charts.map(({ title }) => title)]));

describe("layout", () => {
  it("has a section for each prefix", () => {
    expect(shape(DEFAULTS)).toEqual({
      train: ["train/loss"],
      val: ["val/acc", "val/loss"],
      system: ["system/gpu"],
    });
  });

  it("has pinned charts on top as well", () => {
    const sections = layoutOf(KEYS, set({ pinned: ["m:val/loss", "m:gone"] }));
    expect(sections[0]).toMatchObject({ name: PINNED, pinned: true });
    expect(sections[0]!.charts.map(({ id }) => id)).toEqual(["m:val/loss"]);
    expect(sections.length).toBe(4);
  });

  it("keeps what the search finds, by pattern", () => {
    expect(shape(set({ search: "loss$" }))).toEqual({ train: ["train/loss"], val: ["val/loss"] });
  });

  it("has charts and sections of a person's own, empty ones too", () => {
    const added = [
      { id: "c1", kind: "bar" as const, columns: [{ kind: "metric" as const, key: "acc" }], section: "", title: "" },
    ];
    expect(shape(set({ added, sections: ["Mine"] }))).toMatchObject({ Charts: ["acc"], Mine: [] });
  });

  it("moves a chart to its place in another section", () => {
    const to = { section: "val", before: "m:val/loss" };
    const moved = set(moveChart(layoutOf(KEYS, DEFAULTS), DEFAULTS, "m:train/loss", to));
    expect(shape(moved)).toEqual({ val: ["val/acc", "train/loss", "val/loss"], system: ["system/gpu"] });
  });

  it("moves a chart and a section step by step, and stops at the ends", () => {
    const sections = layoutOf(KEYS, DEFAULTS);
    expect(shape(set(stepChart(sections, DEFAULTS, "m:val/acc", "val", 1))).val).toEqual(["val/loss", "val/acc"]);
    expect(stepChart(sections, DEFAULTS, "m:val/acc", "val", -1)).toEqual({});
    expect(stepSection(sections, "system", -2)).toEqual({ sections: ["system", "train", "val"] });
    expect(Object.keys(shape(set(stepSection(sections, "system", -5))))).toEqual(["system", "train", "val"]);
  });

  it("puts a section where another one stands", () => {
    const sections = layoutOf(KEYS, set({ pinned: ["m:val/loss"] }));
    expect(moveSection(sections, "train", "system")).toEqual({ sections: ["val", "system", "train"] });
    expect(moveSection(sections, "system", "train")).toEqual({ sections: ["system", "train", "val"] });
  });

  it("adds a section above all others, and brings back a removed one", () => {
    const removed = set({ removed: [sectionId("system")] });
    const sections = layoutOf(KEYS, removed);
    expect(shape(set(addSection(sections, removed, "Mine")))).toMatchObject({ Mine: [] });
    expect(addSection(sections, removed, "system")).toEqual({ sections: ["system", "train", "val"], removed: [] });
  });

  it("calls a section otherwise, with metrics that are yet to come", () => {
    const renamed = set(renameSection(DEFAULTS, "val", "Validation"));
    const sections = layoutOf([...KEYS, "val/f1"], renamed);
    expect(sections[1]).toMatchObject({ name: "val", title: "Validation" });
    expect(sections[1]!.charts.map(({ title }) => title)).toEqual(["val/acc", "val/f1", "val/loss"]);
    expect(renameSection(renamed, "val", "val")).toEqual({ named: {} });
  });

  it("forgets what is removed", () => {
    const chart = layoutOf(KEYS, DEFAULTS)[0]!.charts[0]!;
    expect(shape(set(removeChart(DEFAULTS, chart)))).not.toHaveProperty("train");
    expect(shape(set({ removed: [sectionId("system")] }))).not.toHaveProperty("system");
    const own = { id: "c1", kind: "bar" as const, columns: [], section: "", title: "Own" };
    expect(removeChart(set({ added: [own] }), { ...own, own: true })).toEqual({ pinned: [], added: [] });
  });
});

describe("rows", () => {
  it("are filled from the left, and never wider than the page", () => {
    const charts = layoutOf(KEYS, DEFAULTS).flatMap((section) => section.charts);
    const widths = { "m:val/acc": 3, "m:val/loss": 2 } as Record<string, 1 | 2 | 3>;
    const rows = (columns: number) =>
      rowsOf(charts, ({ id }) => widths[id] ?? 1, columns).map((row) => row.map(({ title }) => title));
    expect(rows(3)).toEqual([["train/loss"], ["val/acc"], ["val/loss", "system/gpu"]]);
    expect(rows(1).length).toBe(4);
  });
});
