import { describe, expect, it } from "vitest";
import type { RunData } from "../run/runData";
import { compareRows, pictureAt, picturesOf, shareOf } from "./rows";

const run = (
  metrics: Record<string, number>,
  params: Record<string, string>,
  tags: Record<string, string> = {},
): RunData =>
  ({
    metrics: new Map(Object.entries(metrics).map(([key, value]) => [key, { value, step: 0 }])),
    params: new Map(Object.entries(params)),
    tags: new Map(Object.entries(tags)),
  }) as unknown as RunData;

describe("rows", () => {
  const runs = [
    run({ loss: 0.5, acc: 0.8 }, { lr: "0.1" }, { team: "a", "mlflow.user": "mara" }),
    run({ loss: 0.4, acc: NaN }, { lr: "0.1", wd: "1" }, { "mlflow.user": "mara" }),
  ];
  const rows = compareRows(runs, [new Map([["numpy", "1"]]), new Map([["numpy", "2"]])]);
  const of = (key: string) => rows.find((one) => one.key === key)!;

  it("say what differs; missing is a value", () => {
    expect(rows.filter(({ differs }) => differs).map(({ key }) => key)).toEqual(["acc", "loss", "wd", "numpy", "team"]);
    expect(of("user").differs).toBe(false);
    expect(of("wd").values).toEqual([null, "1"]);
  });

  it("know the best by the goal, and never among what is not finite", () => {
    expect(of("loss").best).toEqual([false, true]);
    expect(of("acc").best).toEqual([true, false]);
    expect(of("lr").best).toEqual([false, false]);
  });

  it("have bars by size", () => {
    expect(shareOf(of("loss"), 1)).toBeCloseTo(0.8);
    expect(shareOf(of("acc"), 1)).toBeNull();
  });

  it("take NaN for the same as NaN", () => {
    expect(compareRows([run({ a: NaN }, {}), run({ a: NaN }, {})])[0]!.differs).toBe(false);
  });
});

describe("pictures", () => {
  it("are found by name and step", () => {
    const found = picturesOf([
      "images/sample~x+step+7+timestamp+1+abc.png",
      "images/sample~x+step+7+timestamp+1+abc+compressed.webp",
      "images/sample#x%step%5%timestamp%1%abc.png",
      "images/sample#x%step%0%timestamp%1%abc.png",
      "images/sample#x%step%0%timestamp%1%abc%compressed.webp",
      "plots/confusion.png",
      "a.txt",
    ]);
    expect([...found.keys()]).toEqual(["sample/x", "plots/confusion.png"]);
    expect(found.get("sample/x")!.map(({ step }) => step)).toEqual([0, 5, 7]);
    expect(pictureAt(found.get("sample/x")!, 4)?.step).toBe(0);
    expect(pictureAt(found.get("sample/x")!, 6)?.step).toBe(5);
  });
});
