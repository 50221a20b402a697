import { describe, expect, it } from "vitest";
import { contextAt, tokenize } from "./tokens";

const kinds = (text: string) =>
  tokenize(text)
    .filter(({ kind }) => kind !== "space")
    .map(({ kind, text: word }) => `${kind}:${word}`);

const FILTERS = [
  'metrics.val/top1 > 0.74 and params.optimizer = "sgd"',
  "min(metrics.`val loss`) <= 1e-3 or not tags.team in ('a', 'b')",
  "attributes.start_time between 1 and 2 and status = 'FINISHED'",
  'params."odd key" is not null',
  "metrics.loss ?? 3 <script>'",
  "  ",
  "`unclosed",
  "ünïcode = '✓'",
];

describe("tokens", () => {
  it.each(FILTERS)("join to the text again: %s", (text) => {
    const tokens = tokenize(text);
    expect(tokens.map((token) => token.text).join("")).toBe(text);
    tokens.forEach((token) => expect(text.slice(token.start, token.end)).toBe(token.text));
  });

  it("know keys, operators, values and joins", () => {
    expect(kinds(FILTERS[0]!)).toEqual([
      "key:metrics.val/top1",
      "operator:>",
      "value:0.74",
      "join:and",
      "key:params.optimizer",
      "operator:=",
      'value:"sgd"',
    ]);
    expect(kinds("a between 1 and 2 and b = 3")).toEqual([
      "key:a",
      "operator:between",
      "value:1",
      "join:and",
      "value:2",
      "join:and",
      "key:b",
      "operator:=",
      "value:3",
    ]);
    expect(kinds("tags.t in ('a', 'b') and x is not null")).toEqual([
      ...["key:tags.t", "operator:in", "mark:(", "value:'a'", "mark:,", "value:'b'", "mark:)", "join:and"],
      ...["key:x", "operator:is", "join:not", "value:null"],
    ]);
  });
});

describe("what may come next", () => {
  const at = (text: string) => {
    const caret = text.indexOf("|");
    const { expects, typed, key } = contextAt(text.replace("|", ""), caret);
    return [expects, typed, key];
  };

  it("is a key at the beginning and after a join", () => {
    expect(at("|")).toEqual(["key", "", ""]);
    expect(at("params.w|")).toEqual(["key", "params.w", ""]);
    expect(at("metrics.loss < 1 and params.w|")).toEqual(["key", "params.w", "metrics.loss"]);
    expect(at("min(metr|")).toEqual(["key", "metr", "min"]);
  });

  it("is an operator after a key, a value after an operator, a join after a value", () => {
    expect(at("params.lr |")).toEqual(["operator", "", "params.lr"]);
    expect(at("params.lr = |")).toEqual(["value", "", "params.lr"]);
    expect(at("params.lr = 'sg|")).toEqual(["value", "'sg", "params.lr"]);
    expect(at("params.lr = 'sgd' |")).toEqual(["join", "", "params.lr"]);
    expect(at("params.lr in ('a', |")).toEqual(["value", "", "params.lr"]);
  });
});
