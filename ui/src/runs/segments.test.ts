import { describe, expect, it } from "vitest";
import { BLOCK, blocksBetween, layOut, locate, type Segment } from "./segments";

const selection = (filter: string) => ({ experiment_ids: ["1"], filter });
const rows = (filter: string, count: number): Segment => ({ kind: "rows", selection: selection(filter), count });
const header = (id: string): Segment => ({
  kind: "header",
  id,
  folded: false,
  count: 1,
  group: { key: [id], count: 0, statuses: {}, aggregates: [] },
});

/** The same list, written out. */
function written(segments: Segment[]): string[] {
  return segments.flatMap((segment) =>
    segment.kind === "header"
      ? [segment.id]
      : Array.from({ length: segment.count }, (_, i) => `${segment.selection.filter}${i}`),
  );
}

const CASES: Segment[][] = [
  [],
  [rows("a", 0)],
  [rows("a", 250)],
  [header("g"), rows("a", 3), header("h"), rows("b", 0), header("i"), rows("c", 120)],
];

describe("the list of the table", () => {
  it.each(CASES.map((segments) => [segments]))("finds every place where it stands", (segments) => {
    const layout = layOut(segments);
    const expected = written(segments);
    expect(layout.total).toBe(expected.length);
    expected.forEach((name, i) => {
      const place = locate(layout, i)!;
      const found =
        place.segment.kind === "header" ? place.segment.id : `${place.segment.selection.filter}${place.offset}`;
      expect(found).toBe(name);
    });
    expect(locate(layout, expected.length)).toBeNull();
  });

  it("fetches just the blocks in sight", () => {
    const layout = layOut([rows("a", 100_000)]);
    const seen = blocksBetween(layout, 5 * BLOCK + 90, 6 * BLOCK + 20);
    expect(seen.map(({ offset }) => offset)).toEqual([5 * BLOCK, 6 * BLOCK]);
  });

  it("fetches no rows of folded groups", () => {
    const layout = layOut([header("g"), header("h"), rows("b", 3)]);
    expect(blocksBetween(layout, 0, 10)).toEqual([{ selection: selection("b"), offset: 0 }]);
    expect(blocksBetween(layout, 0, 1)).toEqual([]);
  });
});
