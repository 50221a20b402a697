import { expect, it } from "vitest";
import { goalOf, usualColumns, widthOf } from "./columns";
import { columnId } from "./view";

const key = (kind: "param" | "metric" | "tag", name: string) => ({ kind, name, runs: 1, numeric: true });

it("chooses columns of each kind, and none of the machine's", () => {
  const keys = [
    key("metric", "system/cpu"),
    key("metric", "loss"),
    key("param", "lr"),
    key("tag", "mlflow.user"),
    key("tag", "team"),
  ];
  expect(usualColumns(keys).map(columnId)).toEqual([
    "a:status",
    "a:start_time",
    "a:duration",
    "p:lr",
    "m:loss",
    "t:team",
  ]);
});

it("knows the goal of metrics by the words in their names", () => {
  expect(["val/loss", "RMSE", "val_error", "train.nll"].map(goalOf)).toEqual(["down", "down", "down", "down"]);
  expect(["val/top1", "accuracy", "test_f1", "r2"].map(goalOf)).toEqual(["up", "up", "up", "up"]);
  expect(["lr", "glossary", "embedding_norm"].map(goalOf)).toEqual([null, null, null]);
});

it("keeps the width that was chosen, and never less than can be grabbed", () => {
  expect(widthOf({ kind: "param", key: "lr" }, { "p:lr": 90 }, false)).toBe(90);
  expect(widthOf({ kind: "param", key: "lr" }, { "p:lr": 3 }, false)).toBe(48);
});
