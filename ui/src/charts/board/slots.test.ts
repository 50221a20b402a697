import { describe, expect, it } from "vitest";
import { columnText, problemWith, readColumn } from "./slots";

const LR = { kind: "param", key: "lr" } as const;
const LOSS = { kind: "metric", key: "val/loss" } as const;

describe("columns of a new chart", () => {
  it("are read as they are written", () => {
    for (const column of [LR, LOSS]) expect(readColumn(columnText(column), [])).toEqual(column);
    expect(readColumn(" lr ", [LOSS, LR])).toEqual(LR);
    expect(readColumn("m.min:loss", [])).toEqual({ kind: "metric", key: "loss", aggregate: "min" });
    expect(readColumn("nothing", [LR])).toBeNull();
  });

  it("are asked for where they are missing", () => {
    expect(problemWith("scatter", ["param lr", ""], [LR, null])).toBe("Up is missing");
    expect(problemWith("scatter", ["param lr", "param lr", ""], [LR, LR, null])).toBe("");
    expect(problemWith("box", ["x"], [null])).toBe("There is no metric or param x");
    expect(problemWith("parallel", ["param lr"], [LR])).toContain("two axes");
    expect(problemWith("line", ["param lr"], [LR])).toContain("metrics");
  });
});
