import { expect, it } from "vitest";
import { isLog, lastLines } from "./logText";

it("shows lines as a terminal would in the end", () => {
  expect(lastLines("\u001b[31mred\u001b[0m\r\n10%\r50%\r100%\ndone\n", "")).toEqual(["red", "100%", "done"]);
  expect(lastLines("one\ntwo\nThree", "th")).toEqual(["Three"]);
});

it("knows logs by their names", () => {
  expect(["train.log", "logs/out.txt", "report.txt", "logs/picture.png"].map(isLog)).toEqual([
    true,
    true,
    false,
    false,
  ]);
});
