import { describe, expect, it } from "vitest";
import { inNaturalOrder } from "./order";

const sorted = (...names: string[]) => inNaturalOrder(names, (name) => name);

describe("the natural order", () => {
  it("takes numbers by their size", () => {
    expect(sorted("l10", "l2", "l1", "10", "9", "l2/b", "l2/a")).toEqual([
      "9",
      "10",
      "l1",
      "l2",
      "l2/a",
      "l2/b",
      "l10",
    ]);
    expect(sorted("a2b10", "a2b9", "a10b1")).toEqual(["a2b9", "a2b10", "a10b1"]);
  });

  it("does not look at case and accents unless nothing else differs", () => {
    expect(sorted("Zebra", "apfel", "Öl", "oz", "Apfel")).toEqual(["Apfel", "apfel", "Öl", "oz", "Zebra"]);
    expect(sorted("é", "e", "f")).toEqual(["e", "é", "f"]);
  });

  it("is one order, whatever stands where", () => {
    const names = ["", "a", "a1", "a_", "ab", "1a", "1", "01", "-1", "ä1", "é2", "日本", "a1b", "A1", "a 1"];
    const first = sorted(...names);
    for (let turn = 1; turn < names.length; turn++) {
      expect(sorted(...names.slice(turn), ...names.slice(0, turn))).toEqual(first);
    }
  });

  it("leaves the given list as it was", () => {
    const names = ["b", "a"];
    expect(sorted(...names)).toEqual(["a", "b"]);
    expect(names).toEqual(["b", "a"]);
  });
});
