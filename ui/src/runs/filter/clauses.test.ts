import { expect, it } from "vitest";
import { without } from "./clauses";

it("takes one clause out at a time", () => {
  expect(without("a > 1 and b = 'x and y' and (c = 1 or d = 2)")).toEqual([
    { clause: "a > 1", rest: "b = 'x and y' and (c = 1 or d = 2)" },
    { clause: "b = 'x and y'", rest: "a > 1 and (c = 1 or d = 2)" },
    { clause: "(c = 1 or d = 2)", rest: "a > 1 and b = 'x and y'" },
  ]);
});

it("does not cut through BETWEEN, and leaves OR whole", () => {
  expect(without("a between 1 and 2 and b = 3").map(({ clause }) => clause)).toEqual(["a between 1 and 2", "b = 3"]);
  expect(without("a = 1 or b = 2")).toEqual([{ clause: "a = 1 or b = 2", rest: "" }]);
});
