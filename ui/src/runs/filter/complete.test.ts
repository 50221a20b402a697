import { expect, it } from "vitest";
import type { RunKey } from "../columns";
import { accept, nearest, proposeKeys, proposeOperators, proposeValues } from "./complete";
import { contextAt } from "./tokens";

const KEYS: RunKey[] = [
  { kind: "metric", name: "loss", runs: 9, numeric: true },
  { kind: "param", name: "weight_decay", runs: 9, numeric: true },
  { kind: "param", name: "head_lr_weight", runs: 3, numeric: true },
  { kind: "param", name: "val/optimizer", runs: 3, numeric: false },
];
const count = String;

it("proposes keys that begin with what is typed before those that contain it", () => {
  expect(proposeKeys("params.w", KEYS, count).map(({ text }) => text)).toEqual([
    "params.weight_decay",
    "params.head_lr_weight",
  ]);
  expect(proposeKeys("opt", KEYS, count).map(({ text }) => text)).toEqual(["params.`val/optimizer`"]);
});

it("proposes operators and values that fit the key", () => {
  expect(proposeOperators(contextAt("metrics.loss ", 13), KEYS).map(({ text }) => text)).not.toContain("like");
  expect(proposeOperators(contextAt("params.x ", 9), KEYS).map(({ text }) => text)).toContain("like");
  const values = proposeValues(
    contextAt("params.o = 's", 13),
    [
      { value: "sgd", runs: 2 },
      { value: "adam", runs: 1 },
    ],
    count,
  );
  expect(values.map(({ text }) => text)).toEqual(["'sgd'"]);
});

it("puts a proposal in the place of what is typed", () => {
  const text = "metrics.loss < 1 and par = 3";
  expect(accept(text, contextAt(text, 24), "params.lr")).toEqual({
    text: "metrics.loss < 1 and params.lr = 3 ",
    caret: 31,
  });
});

it("finds the key that was meant", () => {
  expect(nearest("optimizr", ["optimizer", "momentum"])).toBe("optimizer");
  expect(nearest("zzz", ["optimizer", "momentum"])).toBeNull();
});
