import { expect, it } from "vitest";
import { highlight, kindOf, languageOf } from "./kinds";

it("knows how to show a file by its name", () => {
  expect(
    ["model/MLmodel", "a.PNG", "b.csv", "x.parquet", "r.html", "model.bin", "requirements.txt", "conda.yaml"].map(
      kindOf,
    ),
  ).toEqual(["mlmodel", "image", "table", "table", "html", "other", "text", "code"]);
});

it.each([
  ['{"a": [1, -2.5e3, "x\\"y", null]}', "x.json"],
  ["  - key: 'value' # why", "x.yaml"],
  ["def f(x): return f'{x}' if x is not None else 1.5  # <b>", "x.py"],
  ["", "x.py"],
  ["anything at all", "x.log"],
])("marks lines without changing them: %s", (line, path) => {
  expect(
    highlight(line, languageOf(path))
      .map(([, text]) => text)
      .join(""),
  ).toBe(line);
});

it("tells keys from values", () => {
  expect(highlight('"a": "b"', "json")).toEqual([
    ["k", '"a"'],
    ["", ": "],
    ["s", '"b"'],
  ]);
});
