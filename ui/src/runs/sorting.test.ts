import { expect, it } from "vitest";
import { sortBy } from "./sorting";
import type { ColumnRef } from "./view";

const LOSS: ColumnRef = { kind: "metric", key: "loss" };
const LR: ColumnRef = { kind: "param", key: "lr" };

it("goes through both directions and back to none", () => {
  const first = sortBy({ sort: [] }, LOSS, false);
  const second = sortBy(first, LOSS, false);
  expect([first.sort, second.sort, sortBy(second, LOSS, false).sort]).toEqual([
    [{ column: LOSS, descending: true }],
    [{ column: LOSS, descending: false }],
    [],
  ]);
});

it("adds to the order with Shift and replaces it without", () => {
  const both = sortBy(sortBy({ sort: [] }, LOSS, false), LR, true);
  expect(both.sort).toEqual([
    { column: LOSS, descending: true },
    { column: LR, descending: false },
  ]);
  expect(sortBy(both, LOSS, true).sort[0]).toEqual({ column: LOSS, descending: false });
  expect(sortBy(both, LR, false).sort).toEqual([{ column: LR, descending: true }]);
});
