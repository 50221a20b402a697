import { describe, expect, it } from "vitest";
import { differText, fieldDifferences, requirementDifferences } from "./differences";

const field = (name: string, type: string, more: object = {}) => ({ name, type, required: true, ...more });
const told = (rows: { name: string; change: string }[]) => rows.map(({ name, change }) => `${name} ${change}`);

describe("fields", () => {
  it("are added, removed, or of another type; what only the other one has comes last", () => {
    const mine = [field("age_years", "double"), field("city", "long"), field("sex", "string")];
    const other = [field("age", "double"), field("city", "string"), field("sex", "string")];
    const rows = fieldDifferences(mine, other);
    expect(told(rows)).toEqual(["age_years added", "city changed", "sex same", "age removed"]);
    expect([rows[1]!.mine?.type, rows[1]!.other?.type]).toEqual(["long", "string"]);
    expect(rows[0]!.other).toBeNull();
    expect(rows[3]!.mine).toBeNull();
  });

  it("change when they become optional or get another default", () => {
    const rows = fieldDifferences(
      [field("a", "long", { required: false }), field("b", "long", { default: "2" }), field("c", "long")],
      [field("a", "long"), field("b", "long", { default: "1" }), field("c", "long")],
    );
    expect(told(rows)).toEqual(["a changed", "b changed", "c same"]);
  });

  it("without a name are told apart by their place", () => {
    const rows = fieldDifferences([field("", "double"), field("", "long")], [field("", "float")]);
    expect(rows.map(({ change }) => change)).toEqual(["changed", "added"]);
    expect(rows.map(({ name }) => name)).toEqual(["", ""]);
  });

  it("are all added where the other version has no signature", () => {
    expect(told(fieldDifferences([field("a", "long")], null))).toEqual(["a added"]);
    expect(fieldDifferences(null, null)).toEqual([]);
  });
});

describe("requirements", () => {
  it("are the same package in whatever way its name is written", () => {
    const rows = requirementDifferences(
      [
        ["scikit_learn", "1.7.1"],
        ["NumPy", "2.3.1"],
        ["pandas", "2.3.0"],
      ],
      [
        ["scikit-learn", "1.7.0"],
        ["numpy", "2.3.1"],
        ["scipy", "1.16"],
      ],
    );
    expect(told(rows)).toEqual(["scikit_learn changed", "NumPy same", "pandas added", "scipy removed"]);
    expect([rows[0]!.mine?.version, rows[0]!.other?.version]).toEqual(["1.7.1", "1.7.0"]);
  });

  it("are parted from what is asked of them", () => {
    const rows = requirementDifferences(
      [
        ["numpy>=2", ""],
        ["torch[cpu] ~= 2.1", ""],
        ["-r more.txt", ""],
      ],
      [["numpy", "2.3.1"]],
    );
    expect(rows.map(({ mine }) => [mine?.name, mine?.version])).toEqual([
      ["numpy", ">=2"],
      ["torch[cpu]", "~= 2.1"],
      ["-r", "more.txt"],
    ]);
    expect(rows[0]!.change).toBe("changed");
  });
});

it("counts what differs", () => {
  expect(differText([{ change: "same" }])).toBe("no difference");
  expect(differText([{ change: "same" }, { change: "added" }])).toBe("1 differs of 2");
  expect(differText([{ change: "removed" }, { change: "added" }])).toBe("2 differ of 2");
});
